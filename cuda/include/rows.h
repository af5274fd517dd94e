// Row kernels: a warp for a row, or a block for a long one: signatures.
#pragma once
#include "types.h"

// Rows of up to 8192 numbers stay in registers: four eights a thread.
struct RowTile {
  static constexpr int kHeld = 4, kMostWarps = 8;
  static constexpr int kMostThreads = kMostWarps * 32, kSharedBytes = kMostWarps * 4;

  static constexpr int warps(i64 C) { return C <= 1024 ? 1 : C <= 4096 ? 4 : kMostWarps; }
  // Threads of a block, and its rows.
  static constexpr int threads(i64 C) { return warps(C) == 1 ? 128 : warps(C) * 32; }
  static constexpr i64 rows(i64 C) { return warps(C) == 1 ? 4 : 1; }
};

// table, if rows are heads that are turned too, `heads` of a token: of 16 to 256 channels, a power
// of two, at multiples of 16 bytes.
LN_SIGNATURES(rms_norm_fwd,
              (const T* x, const T* residual, const float* w, T* y, T* sum, float* rstd,
               const float* table, i32 heads, i64 M, i64 C, float eps, i32 warps))
LN_SIGNATURES(rms_norm_bwd,
              (const T* dy, const T* dsum, const T* sum, const float* w, const float* rstd, T* dx,
               const float* table, i32 heads, i64 M, i64 C, i32 warps))
LN_SIGNATURES(rope, (const T* x, const float* table, T* y, i64 rows, i64 heads, i64 D, i64 half,
                     float sign))
LN_SIGNATURES(rope_pairs, (const T* x, const float* table, T* y, i64 rows, i64 heads, i64 D,
                           i64 half, float sign))

// See ln_grid_rope_table_fwd.
struct GridRopeArguments {
  i64 H, W, P, T, image_at, text_at, text_step, half[3];
  float theta;
};

LN_SIGNATURE grid_rope_table(const i32* moved, float* table, GridRopeArguments g, i64 M);
LN_SIGNATURE rope_table(const i32* positions, const float* inv_freq, float* table, i64 M, i64 half,
                        float scale, float beta, i64 length);

// DoRA's kernels: norms of adapted rows, and outputs scaled by channel.
#pragma once
#include "column_sums.h"

// A block for a row of W; `format` is that of blocks, 0 for plain numbers.
struct DoraNormArguments {
  i64 out, in, rank;
  float scale;
  i32 format;
};
struct DoraNormTile {
  static constexpr int kThreads = 128, kNumbers = 16, kSharedBytes = kThreads * 8;
};
// Sums over rows of z: a block has kRows rows in all.
struct DoraSumTile : ColumnTile {
  static constexpr i64 kRows = 512;
};
LN_SIGNATURES(dora_norm,
              (const T* w0, const float* a, const float* b, float* norm, DoraNormArguments g))
LN_SIGNATURES(dora_scale_fwd, (const T* z, const float* m, const float* norm, const float* bias,
                               T* y, i64 M, i64 C))
LN_SIGNATURES(dora_scale_bwd, (const T* dy, const T* z, const float* m, const float* norm, T* dz,
                               float* sums, i64 M, i64 C))
LN_SIGNATURE dora_magnitude(const float* sums, const float* norm, float* dm, i64 blocks, i64 C);

// Layer norm: a row as in rows.h. Group norm: pixels split over blocks.
#pragma once
#include "rows.h"

LN_SIGNATURES(layer_norm_fwd, (const T* x, const float* w, const float* b, T* y, float* stats,
                               i64 M, i64 C, float eps, i32 warps))
LN_SIGNATURES(layer_norm_bwd, (const T* dy, const T* x, const float* w, const float* stats, T* dx,
                               i64 M, i64 C, i32 warps))

// A block of threads has `across` eights of channels side by side and `down` pixels, and walks over
// `pixels` pixels of an image; an image is `splits` blocks. All follows from the shape.
struct GroupTile {
  static constexpr int kThreads = 512, kMostSplits = 128;

  static constexpr i32 across(i64 C) {
    return (C + 7) / 8 < kThreads ? i32((C + 7) / 8) : kThreads;
  }
  static constexpr i32 down(i64 C) { return kThreads / across(C); }
  // At least four pixels a thread.
  static constexpr i32 pixels(i64 N, i64 C) {
    i64 least = 4 * down(C), even = (N + kMostSplits - 1) / kMostSplits;
    return i32(least > even ? least : even);
  }
  static constexpr i32 splits(i64 N, i64 C) { return i32((N + pixels(N, C) - 1) / pixels(N, C)); }
  // Sums: two for each channel of each row of threads. Afterwards two for each group.
  static constexpr int sums_bytes(i64 C) { return int(down(C) * C) * 8; }
};
struct GroupArguments {
  i64 N;
  i32 C, groups, pixels, splits;
  float eps;
  i32 silu;
};
// Two sums of a block's share of a group: [B, groups, splits] of them.
struct GroupSums {
  float a, b;
};

// A block's sum of each group, and of the squared distances from its own mean.
LN_SIGNATURES(group_moments, (const T* x, GroupSums* sums, GroupArguments g))
LN_SIGNATURES(group_norm_fwd, (const T* x, const float* w, const float* b, const GroupSums* sums,
                               T* y, float* stats, GroupArguments g))
// A block's sums of g and of g xhat.
LN_SIGNATURES(group_gradients, (const T* dy, const T* x, const float* w, const float* b,
                                const float* stats, GroupSums* sums, GroupArguments g))
LN_SIGNATURES(group_norm_bwd, (const T* dy, const T* x, const float* w, const float* b,
                               const float* stats, const GroupSums* sums, T* dx, GroupArguments g))

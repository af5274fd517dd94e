// Layer norm: one warp for a row, blocks of four. Group norm: one block for an image and group.
#pragma once
#include "types.h"

struct GroupTile {
  static constexpr int kThreads = 256, kSharedBytes = kThreads * 8;
};
struct GroupArguments {
  i64 N, C, groups;
  float eps;
  int silu;
};

LN_SIGNATURES(layer_norm_fwd, (const T* x, const float* w, const float* b, T* y, float* stats,
                               i64 M, i64 C, float eps))
LN_SIGNATURES(layer_norm_bwd,
              (const T* dy, const T* x, const float* w, const float* stats, T* dx, i64 M, i64 C))
LN_SIGNATURES(group_norm_fwd,
              (const T* x, const float* w, const float* b, T* y, float* stats, GroupArguments g))
LN_SIGNATURES(group_norm_bwd, (const T* dy, const T* x, const float* w, const float* b,
                               const float* stats, T* dx, GroupArguments g))

// Gradient norm and AdamW over all adapters: signatures.
#pragma once
#include "types.h"

struct NormTile {
  static constexpr i64 kBlock = 1 << 16;
};
struct AdamWArguments {
  float rate, beta1, beta2, eps, weight_decay;
};

LN_SIGNATURE norm_blocks(const float* g, double* sums, i64 n);
LN_SIGNATURE norm_finish(const double* sums, const gpu_step* step, float* out, i64 blocks,
                         float max_norm);
LN_SIGNATURE adamw(float* p, float* grad, float* m, float* v, const float* clip,
                   const gpu_step* step, i64 n, AdamWArguments a);

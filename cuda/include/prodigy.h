// Prodigy: signatures.
#pragma once
#include "types.h"

struct ProdigyTile {
  static constexpr i64 kBlock = 1 << 13;
  static constexpr int kThreads = 256;
};
// The estimate of the distance to the solution, kept between steps; `before` is that of the step
// before, 0 where the step is not to move anything.
struct ProdigyDistance {
  float d, numerator, before;
};
struct ProdigyArguments {
  float beta1, beta2, beta3, d0;
  int warmup;
};

LN_SIGNATURE prodigy_moments(const float* p, float* grad, const float* p0, float* m, float* v,
                             float* s, const ProdigyDistance* distance, const float* clip,
                             const gpu_step* step, double* sums, i64 n, ProdigyArguments a);
LN_SIGNATURE prodigy_distance(const double* sums, ProdigyDistance* distance, const float* clip,
                              const gpu_step* step, i64 blocks, ProdigyArguments a);
LN_SIGNATURE prodigy(float* p, const float* m, const float* v, const ProdigyDistance* distance,
                     const float* clip, const gpu_step* step, i64 n, float eps, float weight_decay);

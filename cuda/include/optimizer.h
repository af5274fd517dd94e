// Gradient norm, AdamW, Lion and the average over steps of all adapters: signatures.
#pragma once
#include "types.h"

struct NormTile {
  static constexpr i64 kBlock = 1 << 16;
  static constexpr int kThreads = 256;
};
// Moments of 8 bits that share a scale: a warp for each kNumbers. Shared memory holds both tables
// of codes.
struct MomentBlock {
  static constexpr int kThreads = 256, kNumbers = 256, kSharedBytes = 2 * 256 * 4;
};
struct AdamWArguments {
  float rate, beta1, beta2, eps, weight_decay;
};
struct LionArguments {
  float rate, beta1, beta2, weight_decay;
};

LN_SIGNATURE norm_blocks(const float* g, double* sums, i64 n);
LN_SIGNATURE norm_finish(const double* sums, const gpu_step* step, float* out, i64 blocks,
                         float max_norm);
LN_SIGNATURE adamw(float* p, float* grad, float* m, float* v, const float* clip,
                   const gpu_step* step, i64 n, AdamWArguments a);
LN_SIGNATURE adamw8bit(float* p, float* grad, unsigned char* m, unsigned char* v, float* m_scale,
                       float* v_scale, const float* codes, const float* clip, const gpu_step* step,
                       i64 n, AdamWArguments a);
LN_SIGNATURE lion(float* p, float* grad, float* m, const float* clip, const gpu_step* step, i64 n,
                  LionArguments a);
LN_SIGNATURE ema(const float* p, float* mean, const float* clip, const gpu_step* step, i64 n,
                 float share);

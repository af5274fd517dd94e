// Diffusion models' elementwise kernels, eight numbers a thread, and their loss: blocks of 256.
#pragma once
#include "column_sums.h"

struct MseTile {
  static constexpr i64 kBlock = 1 << 14;  // numbers of an image for a block
  static constexpr int kThreads = 256, kSharedBytes = kThreads * 8;
};
// y [B, OH, OW, C] of x [B, H, W, C].
struct Upsampling {
  i64 B, H, W, OH, OW, C;
};
// Output pixel (oy, ox) is input pixel (oy stride + down, ox stride + right).
struct TapArguments {
  i64 B, H, W, C, OH, OW, stride, down, right;
};
LN_SIGNATURES(take_tap, (const T* x, T* y, TapArguments t))
LN_SIGNATURES(upsample_fwd, (const T* x, T* y, Upsampling u))
LN_SIGNATURES(upsample_bwd, (const T* dy, T* dx, Upsampling u))
LN_SIGNATURES(add_rows, (const T* x, const T* t, T* y, i64 B, i64 N, i64 C))
LN_SIGNATURES(sum_rows, (const T* dy, T* dt, i64 N, i64 C))
LN_SIGNATURES(timestep_embedding,
              (const float* t, T* y, i64 B, i64 dim, i32 cosine_first, float shift))
LN_SIGNATURES(mse_blocks, (const T* y, const float* target, const float* weights, const float* mask,
                           const gpu_step* step, double* sums, T* dy, i64 n, i64 C, float huber))
LN_SIGNATURE mse_finish(const double* sums, const float* weights, const gpu_step* step, float* loss,
                        float* losses, i64 B, i64 blocks, i64 n);

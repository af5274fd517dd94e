// Global gradient norm and AdamW over many adapters in one launch.     Loshchilov & Hutter 2019
//
// norm_blocks: 256 threads sum the squares of 65536 numbers in f64; norm_finish adds the blocks in
// a fixed order and takes the loss scale out. adamw: one thread for a number, zeroes the gradient;
// leaves everything else as it is where the norm is not finite. Bound by memory: 28 bytes a number.
#include "gpu.cuh"
#include "optimizer.h"

extern "C" __global__ void __launch_bounds__(256) norm_blocks(const float* g, double* sums, i64 n) {
  LN_DYNAMIC_SHARED(double, shared);
  i64 from = i64(blockIdx.x) * NormTile::kBlock;
  i64 to = from + NormTile::kBlock < n ? from + NormTile::kBlock : n;
  double sum = 0;
  for (i64 i = from + threadIdx.x; i < to; i += blockDim.x) sum += double(g[i]) * double(g[i]);
  sum = block_sum(sum, shared);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

extern "C" __global__ void __launch_bounds__(256)
    norm_finish(const double* sums, const gpu_step* step, float* out, i64 blocks, float max_norm) {
  LN_DYNAMIC_SHARED(double, shared);
  double sum = 0;
  for (i64 b = threadIdx.x; b < blocks; b += blockDim.x) sum += sums[b];
  sum = block_sum(sum, shared);
  if (threadIdx.x != 0) return;
  float norm = float(sqrt(sum)) / step->loss_scale;
  float factor = max_norm > 0 ? max_norm / (norm + 1e-6f) : 1.0f;
  out[0] = norm;
  out[1] = (factor > 1.0f ? 1.0f : factor) / step->loss_scale;
}

extern "C" __global__ void __launch_bounds__(256)
    adamw(float* p, float* grad, float* m, float* v, const float* clip, const gpu_step* step, i64 n,
          AdamWArguments a) {
  i64 i = global_thread();
  if (i >= n) return;
  float lr = step->learning_rate * a.rate, size = lr / step->bias1,
        root = 1.0f / sqrtf(step->bias2);
  float x = grad[i] * clip[1];
  grad[i] = 0.0f;
  if (!(clip[0] < -negative_infinity())) return;  // a step that overflowed changes nothing
  float mean = m[i] + (1.0f - a.beta1) * (x - m[i]);
  float square = a.beta2 * v[i] + (1.0f - a.beta2) * x * x;
  m[i] = mean;
  v[i] = square;
  p[i] = p[i] * (1.0f - lr * a.weight_decay) - size * mean / (sqrtf(square) * root + a.eps);
}

LN_KERNEL(norm_blocks)
LN_KERNEL(norm_finish)
LN_KERNEL(adamw)

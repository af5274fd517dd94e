// Global gradient norm and AdamW over many adapters in one launch.     Loshchilov & Hutter 2019
//
// norm_blocks: 256 threads sum the squares of 65536 numbers in f64; norm_finish adds the blocks in
// a fixed order and takes the loss scale out. adamw: one thread for a number, zeroes the gradient;
// leaves everything else as it is where the norm is not finite. adamw8bit: the same with moments of
// 8 bits, a block of threads for a block of 256 numbers. Bound by memory: 28 bytes a number, 16
// with 8 bits.
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

// The index of the code nearest to x; codes rise.
LN_DEVICE int nearest(const float* codes, float x) {
  int low = 0, high = 255;
  while (high - low > 1) {
    int middle = (low + high) / 2;
    if (codes[middle] <= x)
      low = middle;
    else
      high = middle;
  }
  return x - codes[low] <= codes[high] - x ? low : high;
}

extern "C" __global__ void __launch_bounds__(256)
    adamw8bit(float* p, float* grad, unsigned char* m, unsigned char* v, float* m_scale,
              float* v_scale, const float* codes, const float* clip, const gpu_step* step, i64 n,
              AdamWArguments a) {
  LN_DYNAMIC_SHARED(float, shared);
  float *both_signs = shared, *positive = shared + 256, *most = positive + 256;
  const int t = int(threadIdx.x);
  both_signs[t] = codes[t];
  positive[t] = codes[256 + t];
  __syncthreads();
  const i64 i = global_thread();
  const bool inside = i < n;
  float x = 0, mean = 0, square = 0;
  if (inside) {
    x = grad[i] * clip[1];
    grad[i] = 0.0f;
    float m0 = both_signs[m[i]] * m_scale[blockIdx.x];
    mean = m0 + (1.0f - a.beta1) * (x - m0);
    square = a.beta2 * (positive[v[i]] * v_scale[blockIdx.x]) + (1.0f - a.beta2) * x * x;
  }
  float most_mean = warp_max(fabsf(mean)), most_square = warp_max(square);
  if (t % 32 == 0) {
    most[t / 32] = most_mean;
    most[8 + t / 32] = most_square;
  }
  __syncthreads();                                // and all have read the scales
  if (!(clip[0] < -negative_infinity())) return;  // the whole grid: a step that overflowed
  for (int warp = 0; warp < 8; warp++) {
    most_mean = fmaxf(most_mean, most[warp]);
    most_square = fmaxf(most_square, most[8 + warp]);
  }
  if (t == 0) {
    m_scale[blockIdx.x] = most_mean;
    v_scale[blockIdx.x] = most_square;
  }
  if (!inside) return;
  const float lr = step->learning_rate * a.rate, size = lr / step->bias1;
  const float root = 1.0f / sqrtf(step->bias2);
  p[i] = p[i] * (1.0f - lr * a.weight_decay) - size * mean / (sqrtf(square) * root + a.eps);
  m[i] = (unsigned char)nearest(both_signs, most_mean > 0 ? mean * (1.0f / most_mean) : 0.0f);
  int code = nearest(positive, most_square > 0 ? square * (1.0f / most_square) : 0.0f);
  v[i] = (unsigned char)(code == 0 && square > 0 ? 1 : code);
}

LN_KERNEL(norm_blocks)
LN_KERNEL(norm_finish)
LN_KERNEL(adamw)
LN_KERNEL(adamw8bit)

// What a diffusion model needs beside products and norms. Bound by memory, each byte once.
//
//   upsample            each pixel four times (nearest), and back as the sum of the four
//   take_tap            the image that one tap of a convolution reads, zeros beyond the edges
//   add_rows, sum_rows  y[b, n] = x[b, n] + t[b], and the gradient of t
//   timestep_embedding  sines and cosines of t f[j]
//   mse                 weighted squared or pseudo-Huber distance and its gradient in one pass: a
//                       block of 256 for 16384 numbers of an image, sums in f64 in a fixed order,
//                       2 KB of shared memory
#include "gpu.cuh"
#include "image.h"

template <typename T>
LN_DEVICE void upsample_fwd(const T* x, T* y, const Upsampling& u) {
  i64 i = global_thread();
  if (i >= u.B * u.OH * u.OW * u.C) return;
  i64 c = i % u.C, ox = i / u.C % u.OW, oy = i / u.C / u.OW % u.OH, b = i / u.C / u.OW / u.OH;
  y[i] = x[((b * u.H + oy / 2) * u.W + ox / 2) * u.C + c];
}

template <typename T>
LN_DEVICE void upsample_bwd(const T* dy, T* dx, const Upsampling& u) {
  i64 i = global_thread();
  if (i >= u.B * u.H * u.W * u.C) return;
  i64 c = i % u.C, ox = i / u.C % u.W * 2, oy = i / u.C / u.W % u.H * 2, b = i / u.C / u.W / u.H;
  const T* from = dy + ((b * u.OH + oy) * u.OW + ox) * u.C + c;
  bool right = ox + 1 < u.OW, down = oy + 1 < u.OH;
  float sum = load(from[0]);
  if (right) sum += load(from[u.C]);
  if (down) sum += load(from[u.OW * u.C]);
  if (right && down) sum += load(from[u.OW * u.C + u.C]);
  store(dx + i, sum);
}

template <typename T>
LN_DEVICE void take_tap(const T* x, T* y, const TapArguments& t) {
  i64 i = global_thread();
  if (i >= t.B * t.OH * t.OW * t.C) return;
  i64 c = i % t.C, ox = i / t.C % t.OW, oy = i / t.C / t.OW % t.OH, b = i / t.C / t.OW / t.OH;
  i64 iy = oy * t.stride + t.down, ix = ox * t.stride + t.right;
  bool inside = iy >= 0 && iy < t.H && ix >= 0 && ix < t.W;
  if (inside)
    y[i] = x[((b * t.H + iy) * t.W + ix) * t.C + c];
  else
    store(y + i, 0.0f);
}

template <typename T>
LN_DEVICE void add_rows(const T* x, const T* t, T* y, i64 B, i64 N, i64 C) {
  i64 i = global_thread();
  if (i < B * N * C) store(y + i, load(x[i]) + load(t[i / C / N * C + i % C]));
}

// One thread for a channel of an image: neighbours read neighbouring channels.
template <typename T>
LN_DEVICE void sum_rows(const T* dy, T* dt, i64 B, i64 N, i64 C) {
  i64 i = global_thread();
  if (i >= B * C) return;
  float sum = 0;
  for (i64 n = 0; n < N; n++) sum += load(dy[(i / C * N + n) * C + i % C]);
  store(dt + i, sum);
}

template <typename T>
LN_DEVICE void timestep_embedding(const float* t, T* y, i64 B, i64 dim, i32 cosine_first,
                                  float shift) {
  i64 i = global_thread(), half = dim / 2;
  if (i >= B * dim) return;
  i64 j = i % dim;
  if (j >= 2 * half) return store(y + i, 0.0f);
  float angle = t[i / dim] * expf(-9.210340372f * float(j % half) / (float(half) - shift));
  bool cosine = (j < half) == (cosine_first != 0);
  store(y + i, cosine ? cosf(angle) : sinf(angle));
}

template <typename T>
LN_DEVICE void mse_blocks(const T* y, const float* target, const float* weights,
                          const gpu_step* step, double* sums, T* dy, i64 n, float huber) {
  LN_DYNAMIC_SHARED(double, shared);
  i64 b = blockIdx.y, from = i64(blockIdx.x) * MseTile::kBlock;
  i64 to = from + MseTile::kBlock < n ? from + MseTile::kBlock : n;
  float weight = weights[b] * step->inv_labelled / float(n) * step->loss_scale;
  double sum = 0;
  for (i64 i = b * n + from + threadIdx.x; i < b * n + to; i += blockDim.x) {
    float d = load(y[i]) - target[i];
    float root = huber > 0 ? sqrtf(d * d + huber * huber) : 0.0f;
    sum += double(huber > 0 ? 2 * huber * (root - huber) : d * d);
    if (dy) store(dy + i, (huber > 0 ? 2 * huber * d / root : 2 * d) * weight);
  }
  sum = block_sum(sum, shared);
  if (threadIdx.x == 0) sums[b * gridDim.x + blockIdx.x] = sum;
}

extern "C" __global__ void __launch_bounds__(256)
    mse_finish(const double* sums, const float* weights, const gpu_step* step, float* loss, i64 B,
               i64 blocks, i64 n) {
  LN_DYNAMIC_SHARED(double, shared);
  double sum = 0;
  for (i64 i = threadIdx.x; i < B * blocks; i += blockDim.x)
    sum += sums[i] * double(weights[i / blocks]) / double(n);
  sum = block_sum(sum, shared);
  if (threadIdx.x == 0) *loss = float(sum * double(step->inv_labelled));
}

LN_INSTANCES((256), upsample_fwd, (const T* x, T* y, Upsampling u), upsample_fwd(x, y, u))
LN_INSTANCES((256), upsample_bwd, (const T* dy, T* dx, Upsampling u), upsample_bwd(dy, dx, u))
LN_INSTANCES((256), take_tap, (const T* x, T* y, TapArguments t), take_tap(x, y, t))
LN_INSTANCES((256), add_rows, (const T* x, const T* t, T* y, i64 B, i64 N, i64 C),
             add_rows(x, t, y, B, N, C))
LN_INSTANCES((256), sum_rows, (const T* dy, T* dt, i64 B, i64 N, i64 C), sum_rows(dy, dt, B, N, C))
LN_INSTANCES((256), timestep_embedding,
             (const float* t, T* y, i64 B, i64 dim, i32 cosine_first, float shift),
             timestep_embedding(t, y, B, dim, cosine_first, shift))
LN_INSTANCES((256), mse_blocks,
             (const T* y, const float* target, const float* weights, const gpu_step* step,
              double* sums, T* dy, i64 n, float huber),
             mse_blocks(y, target, weights, step, sums, dy, n, huber))
LN_KERNEL(mse_finish)

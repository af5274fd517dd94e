// What a diffusion model needs beside products and norms, a thread for eight channels of a pixel.
// Bound by memory, each byte once.
//
//   upsample            each pixel four times (nearest), and back as the sum of the four
//   take_tap            the image that one tap of a convolution reads, zeros beyond the edges
//   add_rows, sum_rows  y[b, n] = x[b, n] + t[b], and the gradient of t
//   timestep_embedding  sines and cosines of t f[j]
//                       sum_rows: a block for an image and 64 channels, 32 pixels at a time
//   mse                 weighted squared or pseudo-Huber distance and its gradient in one pass: a
//                       block of 256 for 16384 numbers of an image, a thread's 64 summed in f32,
//                       the rest in f64 in a fixed order, 2 KB of shared memory
#include "column_sums.cuh"
#include "image.h"

// A thread's eight channels of a pixel of [B, H, W, C].
template <bool WHOLE>
struct Pixel : RowSpan<WHOLE> {
  u32 b, y, x;

  LN_DEVICE Pixel(i64 H, i64 W, i64 C) : RowSpan<WHOLE>(u32(global_thread()), C) {
    const u32 line = this->row / u32(W);
    x = this->row % u32(W);
    y = line % u32(H);
    b = line / u32(H);
  }
};

template <bool WHOLE, typename T>
LN_DEVICE void upsample_fwd(const T* x, T* y, const Upsampling& u) {
  const Pixel<WHOLE> p(u.OH, u.OW, u.C);
  if (p.b >= u.B) return;
  p.store(y + p.row * u.C, p.load(x + ((p.b * u.H + p.y / 2) * u.W + p.x / 2) * u.C));
}

template <bool WHOLE, typename T>
LN_DEVICE void upsample_bwd(const T* dy, T* dx, const Upsampling& u) {
  const Pixel<WHOLE> p(u.H, u.W, u.C);
  if (p.b >= u.B) return;
  const T* from = dy + ((p.b * u.OH + 2 * p.y) * u.OW + 2 * p.x) * u.C;
  const bool right = 2 * p.x + 1 < u.OW, down = 2 * p.y + 1 < u.OH;
  Eight sum = p.load(from);
  if (right) sum += p.load(from + u.C);
  if (down) sum += p.load(from + u.OW * u.C);
  if (right && down) sum += p.load(from + u.OW * u.C + u.C);
  p.store(dx + p.row * u.C, sum);
}

template <bool WHOLE, typename T>
LN_DEVICE void take_tap(const T* x, T* y, const TapArguments& t) {
  const Pixel<WHOLE> p(t.OH, t.OW, t.C);
  if (p.b >= t.B) return;
  const i64 iy = p.y * t.stride + t.down, ix = p.x * t.stride + t.right;
  const bool inside = iy >= 0 && iy < t.H && ix >= 0 && ix < t.W;
  p.store(y + p.row * t.C, inside ? p.load(x + ((p.b * t.H + iy) * t.W + ix) * t.C) : Eight{});
}

template <bool WHOLE, typename T>
LN_DEVICE void add_rows(const T* x, const T* t, T* y, i64 B, i64 N, i64 C) {
  const RowSpan<WHOLE> s(u32(global_thread()), C);
  if (s.row >= B * N) return;
  Eight e = s.load(x + s.row * C);
  e += s.load(t + s.row / u32(N) * C);
  s.store(y + s.row * C, e);
}

template <bool WHOLE, typename T>
LN_DEVICE void sum_rows(const T* dy, T* dt, i64 N, i64 C) {
  const ColumnPlace place;
  const Span<WHOLE> s = place.span<WHOLE>(C);
  const T* from = dy + i64(blockIdx.y) * N * C;
  Eight sum{};
#pragma unroll 2
  for (i64 n = place.row; n < N; n += ColumnTile::kDown) sum += s.load(from + n * C);
  sum = place.sum_down(sum);
  if (place.row == 0) s.store(dt + i64(blockIdx.y) * C, sum);
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

template <bool WHOLE, typename T>
LN_DEVICE void mse_blocks(const T* y, const float* target, const float* weights, const float* mask,
                          const gpu_step* step, double* sums, T* dy, i64 n, i64 C, float huber) {
  LN_DYNAMIC_SHARED(double, shared);
  const i64 b = blockIdx.y, first = i64(blockIdx.x) * MseTile::kBlock;
  const i64 end = first + MseTile::kBlock < n ? first + MseTile::kBlock : n;
  const float weight = weights[b] * step->inv_labelled / float(n) * step->loss_scale;
  float some = 0;
  for (i64 at = first + threadIdx.x * 8; at < end; at += MseTile::kThreads * 8) {
    const Span<WHOLE> s(at, end);
    Eight d = s.load(y + b * n);
    const Eight aim = s.load(target + b * n);
    LN_EACH_OF_8 {
      d[i] -= aim[i];
      const bool inside = i < s.count;
      const float counts = mask && inside ? mask[b * (n / C) + u32(at + i) / u32(C)] : 1.0f;
      if (huber > 0) {
        const float root = sqrtf(d[i] * d[i] + huber * huber);
        some += inside ? counts * 2 * huber * (root - huber) : 0.0f;
        d[i] = 2 * huber * d[i] / root * counts * weight;
      } else {
        some += counts * d[i] * d[i];
        d[i] = 2 * d[i] * counts * weight;
      }
    }
    if (dy) s.store(dy + b * n, d);
  }
  double sum = double(some);
  sum = block_sum(sum, shared);
  if (threadIdx.x == 0) sums[b * gridDim.x + blockIdx.x] = sum;
}

extern "C" __global__ void __launch_bounds__(256)
    mse_finish(const double* sums, const float* weights, const gpu_step* step, float* loss,
               float* losses, i64 B, i64 blocks, i64 n) {
  LN_DYNAMIC_SHARED(double, shared);
  for (i64 b = threadIdx.x; b < B; b += blockDim.x) {
    double own = 0;
    for (i64 i = 0; i < blocks; i++) own += sums[b * blocks + i];
    losses[b] = float(own / double(n));
  }
  double sum = 0;
  for (i64 i = threadIdx.x; i < B * blocks; i += blockDim.x)
    sum += sums[i] * double(weights[i / blocks]) / double(n);
  sum = block_sum(sum, shared);
  if (threadIdx.x == 0) *loss = float(sum * double(step->inv_labelled));
}

LN_INSTANCES((256), upsample_fwd, (const T* x, T* y, Upsampling u),
             LN_EIGHTS(whole_eights(u.C, x, y), upsample_fwd, x, y, u))
LN_INSTANCES((256), upsample_bwd, (const T* dy, T* dx, Upsampling u),
             LN_EIGHTS(whole_eights(u.C, dy, dx), upsample_bwd, dy, dx, u))
LN_INSTANCES((256), take_tap, (const T* x, T* y, TapArguments t),
             LN_EIGHTS(whole_eights(t.C, x, y), take_tap, x, y, t))
LN_INSTANCES((256), add_rows, (const T* x, const T* t, T* y, i64 B, i64 N, i64 C),
             LN_EIGHTS(whole_eights(C, x, t, y), add_rows, x, t, y, B, N, C))
LN_INSTANCES((ColumnTile::kThreads), sum_rows, (const T* dy, T* dt, i64 N, i64 C),
             LN_EIGHTS(whole_eights(C, dy, dt), sum_rows, dy, dt, N, C))
LN_INSTANCES((256), timestep_embedding,
             (const float* t, T* y, i64 B, i64 dim, i32 cosine_first, float shift),
             timestep_embedding(t, y, B, dim, cosine_first, shift))
LN_INSTANCES((256), mse_blocks,
             (const T* y, const float* target, const float* weights, const float* mask,
              const gpu_step* step, double* sums, T* dy, i64 n, i64 C, float huber),
             LN_EIGHTS(whole_eights(n, y, target, dy), mse_blocks, y, target, weights, mask, step,
                       sums, dy, n, C, huber))
LN_KERNEL(mse_finish)

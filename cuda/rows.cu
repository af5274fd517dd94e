// Row kernels: one warp for a row of [M, C], blocks of four warps. Bound by memory.
//
//   rms_norm      sum = x + residual; y = sum rstd w; rstd = 1/sqrt(mean(sum^2) + eps)
//                 dx = rstd (dy w - sum rstd^2 mean(dy w sum)) + dsum    Zhang & Sennrich 2019, eq.
//                 4
//   rope          rotates heads by the table's angles, half form                      Su et al.
//   2021 rope_table    cosines and sines, once a step
// Two passes over a row, the second from L1. Sums in f32, lane by lane, then across the warp.
#include "gpu.cuh"
#include "rows.h"

template <typename T>
LN_DEVICE void rms_norm_fwd(const T* x, const T* residual, const float* w, T* y, T* sum,
                            float* rstd, i64 M, i64 C, float eps) {
  i64 m = warp_row();
  if (m >= M) return;  // a whole warp
  i64 lane = threadIdx.x % 32;
  const T* row = x + m * C;
  if (residual) {
    T* total = sum + m * C;
    for (i64 c = lane; c < C; c += 32) store(total + c, load(row[c]) + load(residual[m * C + c]));
    row = total;  // each lane reads what it wrote itself
  }
  float squares = 0;
  for (i64 c = lane; c < C; c += 32) squares += load(row[c]) * load(row[c]);
  float r = 1.0f / sqrtf(warp_sum(squares) / float(C) + eps);
  if (lane == 0) rstd[m] = r;
  for (i64 c = lane; c < C; c += 32) store(y + m * C + c, load(row[c]) * r * w[c]);
}

template <typename T>
LN_DEVICE void rms_norm_bwd(const T* dy, const T* dsum, const T* sum, const float* w,
                            const float* rstd, T* dx, i64 M, i64 C) {
  i64 m = warp_row();
  if (m >= M) return;
  i64 lane = threadIdx.x % 32;
  const T *g = dy + m * C, *s = sum + m * C;
  float dot = 0;
  for (i64 c = lane; c < C; c += 32) dot += load(g[c]) * w[c] * load(s[c]);
  float r = rstd[m], pull = warp_sum(dot) / float(C) * r * r;
  for (i64 c = lane; c < C; c += 32) {
    float value = r * (load(g[c]) * w[c] - load(s[c]) * pull);
    store(dx + m * C + c, dsum ? value + load(dsum[m * C + c]) : value);
  }
}

template <typename T>
LN_DEVICE void rope(const T* x, const float* table, T* y, i64 M, i64 heads, i64 D, i64 half,
                    float sign) {
  i64 row = warp_row();  // a token's head
  if (row >= M * heads) return;
  i64 lane = threadIdx.x % 32;
  const float *cosine = table + row / heads * 2 * half, *sine = cosine + half;
  for (i64 j = lane; j < half; j += 32) {
    float first = load(x[row * D + j]), second = load(x[row * D + j + half]), s = sign * sine[j];
    store(y + row * D + j, first * cosine[j] - second * s);
    store(y + row * D + j + half, second * cosine[j] + first * s);
  }
  for (i64 j = 2 * half + lane; j < D; j += 32) y[row * D + j] = x[row * D + j];
}

extern "C" __global__ void __launch_bounds__(128)
    rope_table(const i32* positions, const float* inv_freq, float* table, i64 M, i64 half,
               float scale) {
  i64 i = global_thread();
  if (i >= M * half) return;
  double angle = double(float(positions[i / half]) * inv_freq[i % half]);
  table[i / half * 2 * half + i % half] = scale * float(cos(angle));
  table[i / half * 2 * half + half + i % half] = scale * float(sin(angle));
}

LN_INSTANCES((128), rms_norm_fwd,
             (const T* x, const T* residual, const float* w, T* y, T* sum, float* rstd, i64 M,
              i64 C, float eps),
             rms_norm_fwd(x, residual, w, y, sum, rstd, M, C, eps))
LN_INSTANCES((128), rms_norm_bwd,
             (const T* dy, const T* dsum, const T* sum, const float* w, const float* rstd, T* dx,
              i64 M, i64 C),
             rms_norm_bwd(dy, dsum, sum, w, rstd, dx, M, C))
LN_INSTANCES((128), rope,
             (const T* x, const float* table, T* y, i64 M, i64 heads, i64 D, i64 half, float sign),
             rope(x, table, y, M, heads, D, half, sign))
LN_KERNEL(rope_table)

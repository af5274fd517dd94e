// Layer norm, forward and backward to x.                                      Ba et al. 2016
//
//   xhat = (x - mean) rstd,  y = xhat w + b
//   dx = rstd (g - mean(g) - xhat mean(g xhat)),  g = dy w
//
// One thread for a row. Bound by memory.
#include <math.h>

#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {
namespace {

template <typename T>
void layer_forward(const Device* device, const T* x, const float* w, const float* b, T* y,
                   float* stats, int64_t M, int64_t C, float eps) {
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t m = 0; m < M; m++) {
    const T* row = x + m * C;
    float sum = 0, squares = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t c = 0; c < C; c++) sum += load(row[c]);
    float mean = sum / float(C);
#pragma omp simd reduction(+ : squares)
    for (int64_t c = 0; c < C; c++) squares += (load(row[c]) - mean) * (load(row[c]) - mean);
    float rstd = 1.0f / sqrtf(squares / float(C) + eps);
    stats[2 * m] = mean;
    stats[2 * m + 1] = rstd;
    T* to = y + m * C;
    for (int64_t c = 0; c < C; c++) store(to + c, (load(row[c]) - mean) * rstd * w[c] + b[c]);
  }
}

template <typename T>
void layer_backward(const Device* device, const T* dy, const T* x, const float* w,
                    const float* stats, T* dx, int64_t M, int64_t C) {
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t m = 0; m < M; m++) {
    const T *g = dy + m * C, *row = x + m * C;
    float mean = stats[2 * m], rstd = stats[2 * m + 1], sum = 0, dot = 0;
#pragma omp simd reduction(+ : sum, dot)
    for (int64_t c = 0; c < C; c++) {
      float d = load(g[c]) * w[c];
      sum += d;
      dot += d * (load(row[c]) - mean) * rstd;
    }
    sum /= float(C);
    dot /= float(C);
    T* to = dx + m * C;
    for (int64_t c = 0; c < C; c++)
      store(to + c, rstd * (load(g[c]) * w[c] - sum - (load(row[c]) - mean) * rstd * dot));
  }
}

}  // namespace

int ln_layer_norm_fwd(int64_t device, int64_t x, int64_t w, int64_t b, int64_t y, int64_t stats,
                      int64_t M, int64_t C, float eps, int32_t dtype) {
  auto run = [&](auto* type) {
    using T = __typeof__(*type);
    layer_forward(of(device), ptr<T>(x), ptr<float>(w), ptr<float>(b), ptr<T>(y), ptr<float>(stats),
                  M, C, eps);
  };
  dtype == LN_BF16 ? run(ptr<bf16>(0)) : run(ptr<float>(0));
  return LN_OK;
}

int ln_layer_norm_bwd(int64_t device, int64_t dy, int64_t x, int64_t w, int64_t stats, int64_t dx,
                      int64_t M, int64_t C, int32_t dtype) {
  auto run = [&](auto* type) {
    using T = __typeof__(*type);
    layer_backward(of(device), ptr<T>(dy), ptr<T>(x), ptr<float>(w), ptr<float>(stats), ptr<T>(dx),
                   M, C);
  };
  dtype == LN_BF16 ? run(ptr<bf16>(0)) : run(ptr<float>(0));
  return LN_OK;
}

}  // namespace LN_ISA
}  // namespace ln

// RMSNorm with optional residual add, forward and backward.          Zhang & Sennrich 2019, eq. 4
//
//   sum = x + residual,  rstd = 1 / sqrt(mean_c(sum^2) + eps),  y = sum rstd w
//   dx = rstd (dy w - sum rstd^2 mean_c(dy w sum)) + dsum
//
// One thread for a row; two passes, the second from cache. Bound by memory.
#include <math.h>

#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {
namespace {

template <typename T>
void forward(const Device* device, const T* x, const T* residual, const float* w, T* y, T* sum,
             float* rstd, int64_t M, int64_t C, float eps) {
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t m = 0; m < M; m++) {
    const T* row = x + m * C;
    if (residual) {
      T* total = sum + m * C;
      const T* other = residual + m * C;
      for (int64_t c = 0; c < C; c++) store(total + c, load(row[c]) + load(other[c]));
      row = total;
    }
    float squares = 0;
#pragma omp simd reduction(+ : squares)
    for (int64_t c = 0; c < C; c++) squares += load(row[c]) * load(row[c]);
    float r = 1.0f / sqrtf(squares / float(C) + eps);
    rstd[m] = r;
    T* to = y + m * C;
    for (int64_t c = 0; c < C; c++) store(to + c, load(row[c]) * r * w[c]);
  }
}

template <typename T>
void backward(const Device* device, const T* dy, const T* dsum, const T* sum, const float* w,
              const float* rstd, T* dx, int64_t M, int64_t C) {
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t m = 0; m < M; m++) {
    const T *g = dy + m * C, *s = sum + m * C;
    float dot = 0;
#pragma omp simd reduction(+ : dot)
    for (int64_t c = 0; c < C; c++) dot += load(g[c]) * w[c] * load(s[c]);
    float r = rstd[m], pull = dot / float(C) * r * r;
    T* to = dx + m * C;
    if (dsum) {
      const T* through = dsum + m * C;
      for (int64_t c = 0; c < C; c++)
        store(to + c, r * (load(g[c]) * w[c] - load(s[c]) * pull) + load(through[c]));
    } else {
      for (int64_t c = 0; c < C; c++) store(to + c, r * (load(g[c]) * w[c] - load(s[c]) * pull));
    }
  }
}

}  // namespace

int ln_rms_norm_fwd(int64_t device, int64_t x, int64_t residual, int64_t w, int64_t y, int64_t sum,
                    int64_t rstd, int64_t table, int64_t heads, int64_t M, int64_t C, float eps,
                    int32_t dtype) {
  if (dtype == LN_BF16)
    forward(of(device), ptr<bf16>(x), ptr<bf16>(residual), ptr<float>(w), ptr<bf16>(y),
            ptr<bf16>(sum), ptr<float>(rstd), M, C, eps);
  else
    forward(of(device), ptr<float>(x), ptr<float>(residual), ptr<float>(w), ptr<float>(y),
            ptr<float>(sum), ptr<float>(rstd), M, C, eps);
  return table ? ln_rope_fwd(device, y, table, y, M / heads, heads, C, C / 2, 0, 0, dtype) : LN_OK;
}

int ln_rms_norm_bwd(int64_t device, int64_t dy, int64_t dsum, int64_t sum, int64_t w, int64_t rstd,
                    int64_t dx, int64_t table, int64_t heads, int64_t M, int64_t C, int32_t dtype) {
  if (table) {
    LN_TRY(ln_rope_fwd(device, dy, table, dx, M / heads, heads, C, C / 2, 0, 1, dtype));
    dy = dx;
  }
  if (dtype == LN_BF16)
    backward(of(device), ptr<bf16>(dy), ptr<bf16>(dsum), ptr<bf16>(sum), ptr<float>(w),
             ptr<float>(rstd), ptr<bf16>(dx), M, C);
  else
    backward(of(device), ptr<float>(dy), ptr<float>(dsum), ptr<float>(sum), ptr<float>(w),
             ptr<float>(rstd), ptr<float>(dx), M, C);
  return LN_OK;
}

}  // namespace LN_ISA
}  // namespace ln

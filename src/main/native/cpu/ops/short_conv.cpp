// The short causal convolution with SiLU, and the gates of the delta rule.   Gu & Dao 2023; Yang et
// al. 2024
#include <math.h>

#include "cpu/ops/activations.h"

namespace ln {
namespace LN_ISA {
namespace {

// Channels that a thread sums at a time.
constexpr int64_t kPart = 256;

// z of `count` channels of the token `m`, whose document begins at `first`. Rows before the first
// of x stand in `tail` [K - 1, C], the last one at its end.
template <typename T>
void convolve(const T* x, const T* tail, const float* w, int64_t m, int64_t first, int64_t c0,
              int64_t count, int64_t C, int64_t K, float* z) {
  for (int64_t c = 0; c < count; c++) z[c] = 0;
  for (int64_t j = 0; j < K; j++) {
    const int64_t from = m - (K - 1) + j;
    if (from < first) continue;
    const T* row = (from < 0 ? tail + (K - 1 + from) * C : x + from * C) + c0;
    for (int64_t c = 0; c < count; c++) z[c] += w[(c0 + c) * K + j] * load(row[c]);
  }
}

template <typename T>
void forward(const Device* device, const T* x, const float* w, const int32_t* doc_start, T* y,
             int64_t M, int64_t C, int64_t K) {
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t m = 0; m < M; m++)
    for (int64_t c0 = 0; c0 < C; c0 += kPart) {
      const int64_t count = lo(kPart, C - c0);
      float z[kPart];
      convolve(x, x, w, m, doc_start[m], c0, count, C, K, z);
      for (int64_t c = 0; c < count; c++) store(y + m * C + c0 + c, Silu::value(z[c]));
    }
}

template <typename T>
void backward(const Device* device, const T* dy, const T* x, const float* w,
              const int32_t* doc_start, T* dx, int64_t M, int64_t C, int64_t K) {
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t m = 0; m < M; m++)
    for (int64_t c0 = 0; c0 < C; c0 += kPart) {
      const int64_t count = lo(kPart, C - c0);
      float z[kPart], sum[kPart] = {};
      for (int64_t n = m; n < lo(M, m + K) && doc_start[n] <= m; n++) {
        convolve(x, x, w, n, doc_start[n], c0, count, C, K, z);
        for (int64_t c = 0; c < count; c++)
          sum[c] +=
              w[(c0 + c) * K + K - 1 - (n - m)] * load(dy[n * C + c0 + c]) * Silu::slope(z[c]);
      }
      for (int64_t c = 0; c < count; c++) store(dx + m * C + c0 + c, sum[c]);
    }
}

template <typename T>
void cached(const T* x, const float* w, int64_t start, int64_t count, T* tail, T* y, int64_t rows,
            int64_t C, int64_t K) {
  for (int64_t m = 0; m < rows; m++)
    for (int64_t c0 = 0; c0 < C; c0 += kPart) {
      const int64_t channels = lo(kPart, C - c0);
      float z[kPart] = {};
      if (m < count) convolve(x, tail, w, m, -start, c0, channels, C, K, z);
      for (int64_t c = 0; c < channels; c++) store(y + m * C + c0 + c, Silu::value(z[c]));
    }
  for (int64_t j = 0; j < K - 1; j++) {
    const int64_t from = count - (K - 1) + j;
    const T* row = from < 0 ? tail + (K - 1 + from) * C : x + from * C;
    if (row != tail + j * C) memcpy(tail + j * C, row, size_t(C) * sizeof(T));
  }
}

// log(1 + e^x), as torch has it: x itself above 20.
inline float softplus(float x) { return x > 20.0f ? x : log1pf(expf(x)); }
inline float softplus_slope(float x) { return x > 20.0f ? 1.0f : sigmoid(x); }

template <typename T>
void gates(const T* a, const T* b, const float* a_log, const float* dt_bias, float* g, float* beta,
           int64_t M, int64_t H) {
  for (int64_t i = 0; i < M * H; i++) {
    g[i] = -expf(a_log[i % H]) * softplus(load(a[i]) + dt_bias[i % H]);
    beta[i] = sigmoid(load(b[i]));
  }
}

template <typename T>
void gates_backward(const float* dg, const float* dbeta, const T* a, const T* b, const float* a_log,
                    const float* dt_bias, T* da, T* db, int64_t M, int64_t H) {
  for (int64_t i = 0; i < M * H; i++) {
    store(da + i, -dg[i] * expf(a_log[i % H]) * softplus_slope(load(a[i]) + dt_bias[i % H]));
    store(db + i, dbeta[i] * Logistic(load(b[i])).slope());
  }
}

}  // namespace

int ln_short_conv_fwd(int64_t device, int64_t x, int64_t w, int64_t doc_start, int64_t y, int64_t M,
                      int64_t C, int64_t K, int32_t dtype) {
  if (dtype == LN_BF16)
    forward(of(device), ptr<bf16>(x), ptr<float>(w), ptr<int32_t>(doc_start), ptr<bf16>(y), M, C,
            K);
  else
    forward(of(device), ptr<float>(x), ptr<float>(w), ptr<int32_t>(doc_start), ptr<float>(y), M, C,
            K);
  return LN_OK;
}

int ln_short_conv_bwd(int64_t device, int64_t dy, int64_t x, int64_t w, int64_t doc_start,
                      int64_t dx, int64_t M, int64_t C, int64_t K, int32_t dtype) {
  if (dtype == LN_BF16)
    backward(of(device), ptr<bf16>(dy), ptr<bf16>(x), ptr<float>(w), ptr<int32_t>(doc_start),
             ptr<bf16>(dx), M, C, K);
  else
    backward(of(device), ptr<float>(dy), ptr<float>(x), ptr<float>(w), ptr<int32_t>(doc_start),
             ptr<float>(dx), M, C, K);
  return LN_OK;
}

int ln_cached_short_conv_fwd(int64_t, int64_t x, int64_t w, int64_t start, int64_t count,
                             int64_t tail, int64_t y, int64_t T, int64_t C, int64_t K,
                             int32_t dtype) {
  const int64_t before = *ptr<int32_t>(start), real = *ptr<int32_t>(count);
  if (dtype == LN_BF16)
    cached(ptr<bf16>(x), ptr<float>(w), before, real, ptr<bf16>(tail), ptr<bf16>(y), T, C, K);
  else
    cached(ptr<float>(x), ptr<float>(w), before, real, ptr<float>(tail), ptr<float>(y), T, C, K);
  return LN_OK;
}

int ln_delta_gates_fwd(int64_t, int64_t a, int64_t b, int64_t a_log, int64_t dt_bias, int64_t g,
                       int64_t beta, int64_t M, int64_t H, int32_t dtype) {
  if (dtype == LN_BF16)
    gates(ptr<bf16>(a), ptr<bf16>(b), ptr<float>(a_log), ptr<float>(dt_bias), ptr<float>(g),
          ptr<float>(beta), M, H);
  else
    gates(ptr<float>(a), ptr<float>(b), ptr<float>(a_log), ptr<float>(dt_bias), ptr<float>(g),
          ptr<float>(beta), M, H);
  return LN_OK;
}

int ln_delta_gates_bwd(int64_t, int64_t dg, int64_t dbeta, int64_t a, int64_t b, int64_t a_log,
                       int64_t dt_bias, int64_t da, int64_t db, int64_t M, int64_t H,
                       int32_t dtype) {
  if (dtype == LN_BF16)
    gates_backward(ptr<float>(dg), ptr<float>(dbeta), ptr<bf16>(a), ptr<bf16>(b), ptr<float>(a_log),
                   ptr<float>(dt_bias), ptr<bf16>(da), ptr<bf16>(db), M, H);
  else
    gates_backward(ptr<float>(dg), ptr<float>(dbeta), ptr<float>(a), ptr<float>(b),
                   ptr<float>(a_log), ptr<float>(dt_bias), ptr<float>(da), ptr<float>(db), M, H);
  return LN_OK;
}

}  // namespace LN_ISA
}  // namespace ln

// Prodigy: AdamW that estimates its learning rate. Bound by memory.    Mishchenko & Defazio 2023
#include <math.h>

#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {

int64_t ln_prodigy_moments_scratch(int64_t, int64_t) { return 0; }

int ln_prodigy_moments_fwd(int64_t device, int64_t p, int64_t grad, int64_t p0, int64_t m,
                           int64_t v, int64_t s, int64_t distance, int64_t clip, int64_t step,
                           int64_t, int64_t n, float beta1, float beta2, float beta3, float d0,
                           int32_t warmup) {
  // Blocks of fixed size, summed in index order: the estimate does not depend on the thread count.
  constexpr int64_t kBlock = 1 << 13, kMost = 1024;
  const float *w = ptr<float>(p), *start = ptr<float>(p0);
  float *g = ptr<float>(grad), *mean = ptr<float>(m), *square = ptr<float>(v), *sum = ptr<float>(s);
  float* at = ptr<float>(distance);
  float clip_factor = ptr<float>(clip)[1], rate = ptr<Step>(step)->learning_rate, d = at[0];
  bool finite = ptr<float>(clip)[0] < INFINITY;  // a step that overflowed changes nothing
  float weight = d / d0 * (warmup ? d : d * rate);
  double along = 0, size = 0;
  for (int64_t first = 0; first < n; first += kBlock * kMost) {
    double dots[kMost], norms[kMost];
    int64_t blocks = lo((n - first + kBlock - 1) / kBlock, kMost);
#pragma omp parallel for num_threads(of(device)->threads) schedule(static)
    for (int64_t b = 0; b < blocks; b++) {
      int64_t from = first + b * kBlock, to = lo(from + kBlock, n);
      double dot = 0, norm = 0;
#pragma omp simd reduction(+ : dot, norm)
      for (int64_t i = from; i < to; i++) {
        float x = g[i] * clip_factor;
        g[i] = 0.0f;
        if (!finite) continue;
        dot += double(x * (start[i] - w[i]));
        mean[i] = beta1 * mean[i] + d * (1.0f - beta1) * x;
        square[i] = beta2 * square[i] + d * d * (1.0f - beta2) * x * x;
        sum[i] = beta3 * sum[i] + weight * x;
        norm += double(fabsf(sum[i]));
      }
      dots[b] = dot;
      norms[b] = norm;
    }
    for (int64_t b = 0; b < blocks; b++) {
      along += dots[b];
      size += norms[b];
    }
  }
  if (!finite) return LN_OK;
  at[2] = size > 0 ? d : 0.0f;
  if (!(size > 0)) return LN_OK;
  at[1] = beta3 * at[1] + float(double(d / d0 * (d * rate)) * along);
  at[0] = hi(d, float(double(at[1]) / size));
  return LN_OK;
}

int ln_prodigy_fwd(int64_t device, int64_t p, int64_t m, int64_t v, int64_t distance, int64_t clip,
                   int64_t step, int64_t n, float eps, float weight_decay) {
  if (!(ptr<float>(clip)[0] < INFINITY)) return LN_OK;  // a step that overflowed changes nothing
  float *w = ptr<float>(p), *mean = ptr<float>(m), *square = ptr<float>(v);
  float d = ptr<float>(distance)[0], before = ptr<float>(distance)[2];
  float lr = before * ptr<Step>(step)->learning_rate, decay = 1.0f - lr * weight_decay;
  float least = d * eps;
#pragma omp parallel for simd num_threads(of(device)->threads) schedule(static)
  for (int64_t i = 0; i < n; i++) w[i] = w[i] * decay - lr * mean[i] / (sqrtf(square[i]) + least);
  return LN_OK;
}

}  // namespace LN_ISA
}  // namespace ln

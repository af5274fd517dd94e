// Global gradient norm, AdamW and Lion over all adapters at once. Bound by memory.
//                                               Loshchilov & Hutter 2019, Chen et al. 2023
#include <math.h>

#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {

int64_t ln_global_norm_scratch(int64_t, int64_t) { return 0; }

int ln_global_norm_fwd(int64_t device, int64_t g, int64_t step, int64_t out, int64_t, int64_t n,
                       float max_norm) {
  // Blocks of fixed size, summed in index order: the norm does not depend on the thread count.
  constexpr int64_t kBlock = 1 << 16, kMost = 1024;
  const float* x = ptr<float>(g);
  double total = 0;
  for (int64_t first = 0; first < n; first += kBlock * kMost) {
    double sums[kMost];
    int64_t blocks = lo((n - first + kBlock - 1) / kBlock, kMost);
#pragma omp parallel for num_threads(of(device)->threads) schedule(static)
    for (int64_t b = 0; b < blocks; b++) {
      int64_t from = first + b * kBlock, to = lo(from + kBlock, n);
      double sum = 0;
#pragma omp simd reduction(+ : sum)
      for (int64_t i = from; i < to; i++) sum += double(x[i]) * double(x[i]);
      sums[b] = sum;
    }
    for (int64_t b = 0; b < blocks; b++) total += sums[b];
  }
  float loss_scale = ptr<Step>(step)->loss_scale;
  float norm = float(sqrt(total)) / loss_scale;
  float factor = max_norm > 0 ? max_norm / (norm + 1e-6f) : 1.0f;
  ptr<float>(out)[0] = norm;
  ptr<float>(out)[1] = (factor > 1.0f ? 1.0f : factor) / loss_scale;
  return LN_OK;
}

int ln_adamw_fwd(int64_t device, int64_t p, int64_t grad, int64_t m, int64_t v, int64_t clip,
                 int64_t step, int64_t n, float rate, float beta1, float beta2, float eps,
                 float weight_decay) {
  float *w = ptr<float>(p), *g = ptr<float>(grad), *first = ptr<float>(m), *second = ptr<float>(v);
  const Step* now = ptr<Step>(step);
  float clip_factor = ptr<float>(clip)[1];
  bool finite = ptr<float>(clip)[0] < INFINITY;  // a step that overflowed changes nothing
  float lr = now->learning_rate * rate, size = lr / now->bias1, root = 1.0f / sqrtf(now->bias2);
  float decay = 1.0f - lr * weight_decay;
#pragma omp parallel for simd num_threads(of(device)->threads) schedule(static)
  for (int64_t i = 0; i < n; i++) {
    float x = g[i] * clip_factor;
    g[i] = 0.0f;
    if (!finite) continue;
    float mean = first[i] + (1.0f - beta1) * (x - first[i]);
    float square = beta2 * second[i] + (1.0f - beta2) * x * x;
    first[i] = mean;
    second[i] = square;
    w[i] = w[i] * decay - size * mean / (sqrtf(square) * root + eps);
  }
  return LN_OK;
}

int ln_lion_fwd(int64_t device, int64_t p, int64_t grad, int64_t m, int64_t clip, int64_t step,
                int64_t n, float rate, float beta1, float beta2, float weight_decay) {
  float *w = ptr<float>(p), *g = ptr<float>(grad), *mean = ptr<float>(m);
  float clip_factor = ptr<float>(clip)[1];
  bool finite = ptr<float>(clip)[0] < INFINITY;  // a step that overflowed changes nothing
  float lr = ptr<Step>(step)->learning_rate * rate, decay = 1.0f - lr * weight_decay;
#pragma omp parallel for simd num_threads(of(device)->threads) schedule(static)
  for (int64_t i = 0; i < n; i++) {
    float x = g[i] * clip_factor;
    g[i] = 0.0f;
    if (!finite) continue;
    float direction = beta1 * mean[i] + (1.0f - beta1) * x;
    float sign = float(direction > 0.0f) - float(direction < 0.0f);
    mean[i] = beta2 * mean[i] + (1.0f - beta2) * x;
    w[i] = w[i] * decay - lr * sign;
  }
  return LN_OK;
}

int ln_ema_fwd(int64_t device, int64_t p, int64_t average, int64_t clip, int64_t step, int64_t n,
               float share) {
  if (!(ptr<float>(clip)[0] < INFINITY)) return LN_OK;  // the parameters did not move
  const float* w = ptr<float>(p);
  float* mean = ptr<float>(average);
  uint32_t k = ptr<Step>(step)->step;
  float warm = k <= 1 ? 1.0f : 9.0f / (9.0f + float(k)), s = share > warm ? share : warm;
#pragma omp parallel for simd num_threads(of(device)->threads) schedule(static)
  for (int64_t i = 0; i < n; i++) mean[i] -= s * (mean[i] - w[i]);
  return LN_OK;
}

namespace {

// The index of the code nearest to x, codes rising.
inline int nearest(const float* codes, float x) {
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

}  // namespace

int ln_adamw8bit_fwd(int64_t device, int64_t p, int64_t grad, int64_t m, int64_t v, int64_t m_scale,
                     int64_t v_scale, int64_t codes, int64_t clip, int64_t step, int64_t n,
                     float rate, float beta1, float beta2, float eps, float weight_decay) {
  constexpr int64_t kBlock = 256;
  float *w = ptr<float>(p), *g = ptr<float>(grad);
  uint8_t *first = ptr<uint8_t>(m), *second = ptr<uint8_t>(v);
  const float *both_signs = ptr<float>(codes), *positive = both_signs + 256;
  const Step* now = ptr<Step>(step);
  float clip_factor = ptr<float>(clip)[1];
  bool finite = ptr<float>(clip)[0] < INFINITY;  // a step that overflowed changes nothing
  float lr = now->learning_rate * rate, size = lr / now->bias1, root = 1.0f / sqrtf(now->bias2);
  float decay = 1.0f - lr * weight_decay;
#pragma omp parallel for num_threads(of(device)->threads) schedule(static)
  for (int64_t block = 0; block < (n + kBlock - 1) / kBlock; block++) {
    int64_t from = block * kBlock, count = lo(kBlock, n - from);
    float mean[kBlock], square[kBlock], most_mean = 0, most_square = 0;
    float &scale1 = ptr<float>(m_scale)[block], &scale2 = ptr<float>(v_scale)[block];
    for (int64_t i = 0; i < count; i++) {
      float x = g[from + i] * clip_factor, m0 = both_signs[first[from + i]] * scale1;
      g[from + i] = 0.0f;
      mean[i] = m0 + (1.0f - beta1) * (x - m0);
      square[i] = beta2 * (positive[second[from + i]] * scale2) + (1.0f - beta2) * x * x;
      most_mean = hi(most_mean, fabsf(mean[i]));
      most_square = hi(most_square, square[i]);
    }
    if (!finite) continue;
    scale1 = most_mean;
    scale2 = most_square;
    float inverse1 = most_mean > 0 ? 1.0f / most_mean : 0.0f;
    float inverse2 = most_square > 0 ? 1.0f / most_square : 0.0f;
    for (int64_t i = 0; i < count; i++) {
      w[from + i] = w[from + i] * decay - size * mean[i] / (sqrtf(square[i]) * root + eps);
      first[from + i] = uint8_t(nearest(both_signs, mean[i] * inverse1));
      int code = nearest(positive, square[i] * inverse2);
      second[from + i] = uint8_t(code == 0 && square[i] > 0 ? 1 : code);
    }
  }
  return LN_OK;
}

}  // namespace LN_ISA
}  // namespace ln

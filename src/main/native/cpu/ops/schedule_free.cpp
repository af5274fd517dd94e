// AdamW that averages over steps instead of lowering the learning rate. Bound by memory.
//                                                                            Defazio et al. 2024
#include <math.h>

#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {

int ln_schedule_free_weight_fwd(int64_t, int64_t average, int64_t clip, int64_t step) {
  float* at = ptr<float>(average);
  if (!(ptr<float>(clip)[0] < INFINITY)) return LN_OK;
  float most = hi(at[0], ptr<Step>(step)->learning_rate), weight = most * most;
  at[0] = most;
  at[1] += weight;
  at[2] = at[1] > 0 ? weight / at[1] : 0.0f;
  return LN_OK;
}

int ln_schedule_free_adamw_fwd(int64_t device, int64_t y, int64_t grad, int64_t z, int64_t v,
                               int64_t average, int64_t clip, int64_t step, int64_t n, float rate,
                               float beta1, float beta2, float eps, float weight_decay) {
  float *w = ptr<float>(y), *g = ptr<float>(grad), *base = ptr<float>(z), *square = ptr<float>(v);
  const Step* now = ptr<Step>(step);
  float clip_factor = ptr<float>(clip)[1], share = ptr<float>(average)[2];
  bool finite = ptr<float>(clip)[0] < INFINITY;  // a step that overflowed changes nothing
  float lr = now->learning_rate * rate, root = 1.0f / sqrtf(now->bias2);
  float back = lr * (beta1 * (1.0f - share) - 1.0f);
#pragma omp parallel for simd num_threads(of(device)->threads) schedule(static)
  for (int64_t i = 0; i < n; i++) {
    float x = g[i] * clip_factor;
    g[i] = 0.0f;
    if (!finite) continue;
    square[i] = beta2 * square[i] + (1.0f - beta2) * x * x;
    float move = x / (sqrtf(square[i]) * root + eps) + weight_decay * w[i];
    w[i] += share * (base[i] - w[i]) + back * move;
    base[i] -= lr * move;
  }
  return LN_OK;
}

}  // namespace LN_ISA
}  // namespace ln

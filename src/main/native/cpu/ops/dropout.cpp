// Dropout, for the ops of composed/. Bound by Philox.
#include "common/philox.h"
#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {
namespace {

template <typename T>
void drop(const Device* device, const T* x, T* y, int64_t n, float dropout, int32_t stream,
          const Step* step, bool add) {
  float keep_scale = 1.0f / (1.0f - dropout);
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t i = 0; i < n; i += 4) {
    Philox4 random =
        philox(step->seed, uint32_t(i / 4), uint32_t(stream), step->step, step->micro_step);
    for (int64_t j = i; j < lo(i + 4, n); j++) {
      float value = uniform(random.v[j - i]) < dropout ? 0.0f : load(x[j]) * keep_scale;
      store(y + j, add ? load(y[j]) + value : value);
    }
  }
}

}  // namespace

int drop(Device* device, int64_t x, int64_t y, int64_t n, float dropout, int32_t stream,
         int64_t step, bool add, int32_t dtype) {
  if (dtype == LN_BF16)
    drop(device, ptr<bf16>(x), ptr<bf16>(y), n, dropout, stream, ptr<Step>(step), add);
  else
    drop(device, ptr<float>(x), ptr<float>(y), n, dropout, stream, ptr<Step>(step), add);
  return LN_OK;
}

}  // namespace LN_ISA
}  // namespace ln

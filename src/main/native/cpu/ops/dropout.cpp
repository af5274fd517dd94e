// Dropout and rounding, for the ops of composed/. Bound by memory, dropout by Philox.
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

// The CPU computes in bf16 or f32; f16 is for cards.
int round_padded(Device* device, int64_t from, int64_t to, int64_t rows, int64_t columns,
                 int64_t padded_rows, int64_t padded_columns, int32_t) {
  const float* x = ptr<float>(from);
  bf16* y = ptr<bf16>(to);
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t r = 0; r < padded_rows; r++)
    for (int64_t c = 0; c < padded_columns; c++)
      store(y + r * padded_columns + c, r < rows && c < columns ? x[r * columns + c] : 0.0f);
  return LN_OK;
}

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

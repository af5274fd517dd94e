// Casts. Bound by memory.
#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {
namespace {

template <typename From, typename To>
void cast(const Device* device, const From* x, To* y, int64_t n) {
#pragma omp parallel for simd num_threads(device->threads) schedule(static)
  for (int64_t i = 0; i < n; i++) store(y + i, load(x[i]));
}

}  // namespace

int ln_cast_fwd(int64_t device, int64_t x, int32_t x_dtype, int64_t y, int32_t y_dtype, int64_t n) {
  Device* d = of(device);
  if (x_dtype == LN_F32 && y_dtype == LN_BF16)
    cast(d, ptr<float>(x), ptr<bf16>(y), n);
  else if (x_dtype == LN_F32 && y_dtype == LN_F16)
    cast(d, ptr<float>(x), ptr<f16>(y), n);
  else if (x_dtype == LN_F32)
    cast(d, ptr<float>(x), ptr<float>(y), n);
  else if (x_dtype == LN_BF16)
    cast(d, ptr<bf16>(x), ptr<float>(y), n);
  else
    cast(d, ptr<f16>(x), ptr<float>(y), n);
  return LN_OK;
}

}  // namespace LN_ISA
}  // namespace ln

// y = a + b; y = factor x + shift. Bound by memory.
#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {
namespace {

template <typename T>
void add(const Device* device, const T* a, const T* b, T* y, int64_t n) {
#pragma omp parallel for simd num_threads(device->threads) schedule(static)
  for (int64_t i = 0; i < n; i++) store(y + i, load(a[i]) + load(b[i]));
}

template <typename T>
void affine(const Device* device, const T* x, T* y, int64_t n, float factor, float shift) {
#pragma omp parallel for simd num_threads(device->threads) schedule(static)
  for (int64_t i = 0; i < n; i++) store(y + i, factor * load(x[i]) + shift);
}

}  // namespace

int ln_add_fwd(int64_t device, int64_t a, int64_t b, int64_t y, int64_t n, int32_t dtype) {
  if (dtype == LN_BF16)
    add(of(device), ptr<bf16>(a), ptr<bf16>(b), ptr<bf16>(y), n);
  else
    add(of(device), ptr<float>(a), ptr<float>(b), ptr<float>(y), n);
  return LN_OK;
}

int ln_affine_fwd(int64_t device, int64_t x, int64_t y, int64_t n, float factor, float shift,
                  int32_t dtype) {
  if (dtype == LN_BF16)
    affine(of(device), ptr<bf16>(x), ptr<bf16>(y), n, factor, shift);
  else
    affine(of(device), ptr<float>(x), ptr<float>(y), n, factor, shift);
  return LN_OK;
}

}  // namespace LN_ISA
}  // namespace ln

// Activations, alone and as gated linear units: y = act(x), y = act(gate) up.     Shazeer 2020
// SwiGLU (silu), GeGLU (gelu, exact or its tanh form). Bound by memory.
#include "cpu/ops/activations.h"

namespace ln {
namespace LN_ISA {
namespace {

template <typename Act, typename T>
void gated(const Device* device, const T* gate, const T* up, T* y, int64_t n) {
#pragma omp parallel for simd num_threads(device->threads) schedule(static)
  for (int64_t i = 0; i < n; i++) store(y + i, Act::value(load(gate[i])) * load(up[i]));
}

template <typename Act, typename T>
void gated_backward(const Device* device, const T* dy, const T* gate, const T* up, T* dgate, T* dup,
                    int64_t n) {
#pragma omp parallel for simd num_threads(device->threads) schedule(static)
  for (int64_t i = 0; i < n; i++) {
    float g = load(gate[i]), d = load(dy[i]);
    store(dgate + i, d * load(up[i]) * Act::slope(g));
    store(dup + i, d * Act::value(g));
  }
}

template <typename Act, typename T>
void alone(const Device* device, const T* x, T* y, int64_t n) {
#pragma omp parallel for simd num_threads(device->threads) schedule(static)
  for (int64_t i = 0; i < n; i++) store(y + i, Act::value(load(x[i])));
}

template <typename Act, typename T>
void alone_backward(const Device* device, const T* dy, const T* x, T* dx, int64_t n) {
#pragma omp parallel for simd num_threads(device->threads) schedule(static)
  for (int64_t i = 0; i < n; i++) store(dx + i, load(dy[i]) * Act::slope(load(x[i])));
}

template <typename Run>
int typed(int32_t act, int32_t dtype, Run run) {
  with_activation(act,
                  [&](auto a) { dtype == LN_BF16 ? run(a, ptr<bf16>(0)) : run(a, ptr<float>(0)); });
  return LN_OK;
}

}  // namespace

int ln_glu_fwd(int64_t device, int64_t gate, int64_t up, int64_t y, int64_t n, int32_t act,
               int32_t dtype) {
  return typed(act, dtype, [&](auto a, auto* type) {
    using T = __typeof__(*type);
    gated<decltype(a)>(of(device), ptr<T>(gate), ptr<T>(up), ptr<T>(y), n);
  });
}

int ln_glu_bwd(int64_t device, int64_t dy, int64_t gate, int64_t up, int64_t dgate, int64_t dup,
               int64_t n, int32_t act, int32_t dtype) {
  return typed(act, dtype, [&](auto a, auto* type) {
    using T = __typeof__(*type);
    gated_backward<decltype(a)>(of(device), ptr<T>(dy), ptr<T>(gate), ptr<T>(up), ptr<T>(dgate),
                                ptr<T>(dup), n);
  });
}

int ln_activation_fwd(int64_t device, int64_t x, int64_t y, int64_t n, int32_t act, int32_t dtype) {
  return typed(act, dtype, [&](auto a, auto* type) {
    using T = __typeof__(*type);
    alone<decltype(a)>(of(device), ptr<T>(x), ptr<T>(y), n);
  });
}

int ln_activation_bwd(int64_t device, int64_t dy, int64_t x, int64_t dx, int64_t n, int32_t act,
                      int32_t dtype) {
  return typed(act, dtype, [&](auto a, auto* type) {
    using T = __typeof__(*type);
    alone_backward<decltype(a)>(of(device), ptr<T>(dy), ptr<T>(x), ptr<T>(dx), n);
  });
}

}  // namespace LN_ISA
}  // namespace ln

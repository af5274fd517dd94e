// Gated linear units: y = act(gate) up.                                            Shazeer 2020
// SwiGLU (silu) and GeGLU (gelu, tanh form). Bound by memory.
#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {
namespace {

struct Silu {
  static float value(float x) { return x * sigmoid(x); }
  static float slope(float x) {
    float s = sigmoid(x);
    return s * (1.0f + x * (1.0f - s));
  }
};

struct GeluTanh {
  static constexpr float kScale = 0.7978845608f, kCubic = 0.044715f;
  static float value(float x) {
    return 0.5f * x * (1.0f + fast_tanh(kScale * (x + kCubic * x * x * x)));
  }
  static float slope(float x) {
    float t = fast_tanh(kScale * (x + kCubic * x * x * x));
    return 0.5f * (1.0f + t) + 0.5f * x * (1.0f - t * t) * kScale * (1.0f + 3.0f * kCubic * x * x);
  }
};

template <typename Act, typename T>
void forward(const Device* device, const T* gate, const T* up, T* y, int64_t n) {
#pragma omp parallel for simd num_threads(device->threads) schedule(static)
  for (int64_t i = 0; i < n; i++) store(y + i, Act::value(load(gate[i])) * load(up[i]));
}

template <typename Act, typename T>
void backward(const Device* device, const T* dy, const T* gate, const T* up, T* dgate, T* dup,
              int64_t n) {
#pragma omp parallel for simd num_threads(device->threads) schedule(static)
  for (int64_t i = 0; i < n; i++) {
    float g = load(gate[i]), d = load(dy[i]);
    store(dgate + i, d * load(up[i]) * Act::slope(g));
    store(dup + i, d * Act::value(g));
  }
}

}  // namespace

int ln_glu_fwd(int64_t device, int64_t gate, int64_t up, int64_t y, int64_t n, int32_t act,
               int32_t dtype) {
  auto run = [&](auto* type) {
    using T = __typeof__(*type);
    if (act == LN_SILU)
      forward<Silu>(of(device), ptr<T>(gate), ptr<T>(up), ptr<T>(y), n);
    else
      forward<GeluTanh>(of(device), ptr<T>(gate), ptr<T>(up), ptr<T>(y), n);
  };
  dtype == LN_BF16 ? run(ptr<bf16>(0)) : run(ptr<float>(0));
  return LN_OK;
}

int ln_glu_bwd(int64_t device, int64_t dy, int64_t gate, int64_t up, int64_t dgate, int64_t dup,
               int64_t n, int32_t act, int32_t dtype) {
  auto run = [&](auto* type) {
    using T = __typeof__(*type);
    if (act == LN_SILU)
      backward<Silu>(of(device), ptr<T>(dy), ptr<T>(gate), ptr<T>(up), ptr<T>(dgate), ptr<T>(dup),
                     n);
    else
      backward<GeluTanh>(of(device), ptr<T>(dy), ptr<T>(gate), ptr<T>(up), ptr<T>(dgate),
                         ptr<T>(dup), n);
  };
  dtype == LN_BF16 ? run(ptr<bf16>(0)) : run(ptr<float>(0));
  return LN_OK;
}

}  // namespace LN_ISA
}  // namespace ln

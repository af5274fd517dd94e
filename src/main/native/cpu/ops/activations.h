// Activations and their slopes, vectorizable.
#pragma once
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

// With erf as Abramowitz & Stegun 7.1.26 give it, to 1.5e-7.
struct Gelu {
  static float cumulative(float x) {
    float z = (x < 0 ? -x : x) * 0.70710678f, t = 1.0f / (1.0f + 0.3275911f * z);
    float p =
        t * (0.254829592f +
             t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
    float tail = 0.5f * p * fast_exp(-z * z);
    return x < 0 ? tail : 1.0f - tail;
  }
  static float value(float x) { return x * cumulative(x); }
  static float slope(float x) {
    return cumulative(x) + x * 0.3989422804f * fast_exp(-0.5f * x * x);
  }
};

struct QuickGelu {
  static float value(float x) { return x * sigmoid(1.702f * x); }
  static float slope(float x) {
    float s = sigmoid(1.702f * x);
    return s * (1.0f + 1.702f * x * (1.0f - s));
  }
};

// Calls run(activation) for the code of lora_ops.h.
template <typename Run>
void with_activation(int32_t act, Run run) {
  switch (act) {
    case LN_SILU:
      return run(Silu());
    case LN_GELU_TANH:
      return run(GeluTanh());
    case LN_GELU:
      return run(Gelu());
    default:
      return run(QuickGelu());
  }
}

}  // namespace
}  // namespace LN_ISA
}  // namespace ln

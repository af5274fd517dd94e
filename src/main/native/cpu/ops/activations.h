// Activations and their slopes, vectorizable.
#pragma once
#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {
namespace {

struct Silu {
  static float value(float x) { return x * sigmoid(x); }
  static float slope(float x) {
    Logistic l(x);
    return l.s * (1.0f + x * l.rest);
  }
};

// 0.5 (1 + tanh(u)) is sigmoid(2u), which keeps its digits where tanh(u) nears -1.
struct GeluTanh {
  static constexpr float kScale = 2 * 0.7978845608f, kCubic = 0.044715f;
  static float inner(float x) { return kScale * (x + kCubic * x * x * x); }
  static float value(float x) { return x * sigmoid(inner(x)); }
  static float slope(float x) {
    Logistic l(inner(x));
    return l.s + x * l.slope() * kScale * (1.0f + 3.0f * kCubic * x * x);
  }
};

// The tail of the normal distribution as exp(-x^2 / 2) t P(t), t = 1 / (1 + 0.43 z), z = |x| /
// sqrt(2): a minimax fit of erfc(z) exp(z^2) whose relative error is at most 1.8e-7 for every z, so
// that small values keep their digits too.
struct Gelu {
  static float cumulative(float x) {
    float z = (x < 0 ? -x : x) * 0.70710678f, t = 1.0f / (1.0f + 0.43f * z);
    float p = -0.299029447f + t * 0.0709094523f;
    p = 0.364731689f + t * p;
    p = -0.068816229f + t * p;
    p = 0.238207311f + t * p;
    p = 0.207469885f + t * p;
    p = 0.243988442f + t * p;
    p = 0.242538719f + t * p;
    float tail = 0.5f * t * p * fast_exp(-0.5f * x * x);
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
    Logistic l(1.702f * x);
    return l.s * (1.0f + 1.702f * x * l.rest);
  }
};

struct Sigmoid {
  static float value(float x) { return sigmoid(x); }
  static float slope(float x) { return Logistic(x).slope(); }
};

struct Tanh {
  static float value(float x) { return fast_tanh(x); }
  static float slope(float x) { return tanh_slope(x); }
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
    case LN_TANH:
      return run(Tanh());
    case LN_SIGMOID:
      return run(Sigmoid());
    default:
      return run(QuickGelu());
  }
}

}  // namespace
}  // namespace LN_ISA
}  // namespace ln

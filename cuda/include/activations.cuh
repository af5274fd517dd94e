// Activations, and the gated linear units made of them (Shazeer 2020).
#pragma once
#include "eight.cuh"
#include "logistic.cuh"

constexpr float kGeluScale = 2 * 0.7978845608f, kGeluCubic = 0.044715f;

// Sigmoid and erfc keep their digits where 1 + tanh and 1 + erf cancel: 0.5 (1 + tanh(u)) is
// sigmoid(2u).
LN_DEVICE float gelu_tanh_inner(float x) { return kGeluScale * (x + kGeluCubic * x * x * x); }
LN_DEVICE float gelu_cumulative(float x) { return 0.5f * erfcf(x * -0.70710678f); }

// Codes of lora_ops.h: silu, gelu in its tanh form, gelu, quick gelu; 4 is tanh, 5 the sigmoid.
LN_DEVICE float act_value(float x, i32 act) {
  if (act == 0) return x * sigmoid(x);
  if (act == 1) return x * sigmoid(gelu_tanh_inner(x));
  if (act == 2) return x * gelu_cumulative(x);
  return x * sigmoid(1.702f * x);
}

LN_DEVICE float act_slope(float x, i32 act) {
  if (act == 0) {
    const Logistic l(x);
    return l.s * (1.0f + x * l.rest);
  }
  if (act == 1) {
    const Logistic l(gelu_tanh_inner(x));
    return l.s + x * l.slope() * kGeluScale * (1.0f + 3.0f * kGeluCubic * x * x);
  }
  if (act == 2) return gelu_cumulative(x) + x * 0.3989422804f * expf(-0.5f * x * x);
  const Logistic l(1.702f * x);
  return l.s * (1.0f + 1.702f * x * l.rest);
}

// x = act(x) by, where x is the gate.
LN_DEVICE void gated(Eight& x, const Eight& by, i32 act) {
  if (act == 5)
    LN_EACH_OF_8 x[i] = sigmoid(x[i]) * by[i];
  else
    LN_EACH_OF_8 x[i] = act_value(x[i], act) * by[i];
}

// by = d by act'(x), the gradient of the gate x; x = d act(x), that of `by`.
LN_DEVICE void gated_backward(Eight& x, Eight& by, const Eight& d, i32 act) {
  LN_EACH_OF_8 {
    const Logistic l(x[i]);
    by[i] *= d[i] * (act == 5 ? l.slope() : act_slope(x[i], act));
    x[i] = d[i] * (act == 5 ? l.s : act_value(x[i], act));
  }
}

// What every CPU op file needs: the declarations of all ops in this instruction set's namespace,
// the 16-bit types and vectorizable mathematics. Everything here has internal linkage.
#pragma once
#include <stdint.h>
#include <string.h>

#include "common/device.h"
#include "common/types.h"
#include "composed/backend.h"
#include "lora_ops.h"

namespace ln {
namespace LN_ISA {
namespace {

constexpr float kInfinity = __builtin_inff();

// e^x to about 1 ulp for x <= 88, 0 below -87.3, NaN of NaN (Cephes' expf); plain arithmetic, so
// that a loop over it becomes vector code.
inline float fast_exp(float x) {
  float clamped = hi(-87.33f, lo(88.37f, x));  // in this order NaN stays NaN
  float shifted = clamped * 1.44269504f + 12582912.0f, rounded = shifted - 12582912.0f;
  float r = clamped - rounded * 0.693359375f;
  r = r + rounded * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  uint32_t bits;  // the exponent is at the end of the shifted number
  memcpy(&bits, &shifted, 4);
  bits = (bits - 0x4b400000u + 127u) << 23;
  float power;
  memcpy(&power, &bits, 4);
  return x < -87.33f ? 0.0f : p * power;
}

inline float sigmoid(float x) { return 1.0f / (1.0f + fast_exp(-x)); }

// The sigmoid of x and what it lacks of 1, which is the sigmoid of -x: as 1 - s it would have lost
// its digits where s is near 1.
struct Logistic {
  float s, rest;

  explicit Logistic(float x) {
    float e = fast_exp(x < 0 ? x : -x), more = 1.0f / (1.0f + e), less = e * more;
    s = x < 0 ? less : more;
    rest = x < 0 ? more : less;
  }
  float slope() const { return s * rest; }
};

// tanh through e^-2|x|; a polynomial near 0, where the quotient would lose digits.
inline float fast_tanh(float x) {
  float a = x < 0 ? -x : x;
  float e = fast_exp(-2.0f * a);
  float big = (1.0f - e) / (1.0f + e);
  float s = a * a;
  float small =
      a *
      (1.0f + s * (-0.333333333f + s * (0.133333333f + s * (-0.053968254f + s * 0.021869489f))));
  float y = a < 0.25f ? small : big;
  return x < 0 ? -y : y;
}

// 1 / cosh(x)^2, with all its digits where tanh is near 1.
inline float tanh_slope(float x) { return 4.0f * Logistic(2.0f * x).slope(); }

}  // namespace
}  // namespace LN_ISA
}  // namespace ln

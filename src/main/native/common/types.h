// 16-bit floats and the step structure, for code that runs on the host.
#pragma once
#include <stdint.h>
#include <string.h>

#include "lora_ops.h"

namespace ln {

struct bf16 {
  uint16_t bits;
};
struct f16 {
  uint16_t bits;
};

inline bool is_blocks(int32_t dtype) { return dtype >= LN_Q8_0; }

// See LN_STEP_BYTES in lora_ops.h.
struct Step {
  uint64_t seed;
  uint32_t step, micro_step;
  float learning_rate, bias1, bias2, inv_labelled, loss_scale;
  uint8_t reserved[28];
};
static_assert(sizeof(Step) == 64, "Step is 64 bytes, as Java writes it");

namespace {  // internal linkage: each instruction set gets its own copy

inline float load(float x) { return x; }
inline float load(bf16 x) {
  uint32_t bits = uint32_t(x.bits) << 16;
  float f;
  memcpy(&f, &bits, 4);
  return f;
}
inline float load(f16 x) {
  // Exact for normal and subnormal numbers: shift into an f32 and scale by 2^112.
  uint32_t magnitude = uint32_t(x.bits & 0x7fff) << 13;
  uint32_t scale_bits = (254u - 15u) << 23;
  float scale, f;
  memcpy(&scale, &scale_bits, 4);
  memcpy(&f, &magnitude, 4);
  f *= scale;
  uint32_t bits;
  memcpy(&bits, &f, 4);
  if ((x.bits & 0x7c00) == 0x7c00) bits |= 0x7f800000u | (magnitude & 0x7fffffu);
  bits |= uint32_t(x.bits & 0x8000) << 16;
  memcpy(&f, &bits, 4);
  return f;
}

inline void store(float* to, float x) { *to = x; }
// Rounds to nearest, ties to even; NaN stays NaN.
inline void store(bf16* to, float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  uint32_t quiet = (bits >> 16) | 0x40u;
  to->bits = uint16_t((bits & 0x7fffffffu) > 0x7f800000u ? quiet : rounded);
}
inline void store(f16* to, float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  uint32_t sign = (bits >> 16) & 0x8000u, magnitude = bits & 0x7fffffffu;
  uint32_t half;
  if (magnitude > 0x7f800000u) {
    half = 0x7e00u;
  } else if (magnitude >= 0x477ff000u) {
    half = 0x7c00u;
  } else if (magnitude < 0x38800000u) {  // subnormal: add a number whose ulp is 2^-24
    float f, magic = 0.5f;
    memcpy(&f, &magnitude, 4);
    f += magic;
    uint32_t sum, magic_bits;
    memcpy(&sum, &f, 4);
    memcpy(&magic_bits, &magic, 4);
    half = sum - magic_bits;
  } else {
    half = (magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
  }
  to->bits = uint16_t(sign | half);
}

template <typename T>
inline T lo(T a, T b) {
  return a < b ? a : b;
}
template <typename T>
inline T hi(T a, T b) {
  return a > b ? a : b;
}

}  // namespace
}  // namespace ln

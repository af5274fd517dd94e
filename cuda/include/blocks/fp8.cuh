// FP8: a scale in f32 and 128 floats of 8 bits (E4M3), see lora_ops.h.
#pragma once
#include "blocks/bits.cuh"

struct Fp8 {
  struct Bits {
    u32 q[8], scale;
  };
  const u8* data;

  LN_DEVICE Fp8(const void* matrix, u64) : data(static_cast<const u8*>(matrix)) {}
  LN_DEVICE Bits load(u32 unit) const {
    const u8* p = data + u64(unit / 4) * 132;
    Bits b;
    bits::read_words(b.q, p + 4 + unit % 4 * 32);
    b.scale = bits::word(p);
    return b;
  }
  LN_DEVICE void numbers(float (&x)[16], const Bits& b, u32, u32 half) const {
    const float scale = __uint_as_float(b.scale) * 256;
#pragma unroll
    for (int i = 0; i < 16; i += 4) {
      const u32 q = bits::word_of_half(b.q, half, i / 4), even = halves(q), odd = halves(q >> 8);
      x[i] = scale * bits::half(even & 0xffffu);
      x[i + 1] = scale * bits::half(odd & 0xffffu);
      x[i + 2] = scale * bits::half(even >> 16);
      x[i + 3] = scale * bits::half(odd >> 16);
    }
  }

  // Two of the floats, in bytes 0 and 2, as halves that are 2^-8 of them; cards before 8.9 have no
  // instruction for it. All ones are NaN, in a half too once the carry is a bit of it.
  LN_DEVICE static u32 halves(u32 pair) {
    const u32 magnitude = pair & 0x007f007fu, carry = (magnitude + 0x00010001u) & 0x00800080u;
    return (pair & 0x00800080u) << 8 | (magnitude | carry) << 7;
  }
};

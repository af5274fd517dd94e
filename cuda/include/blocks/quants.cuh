// ggml's blocks of 32 with a scale in f16, and in _1 a minimum (ggml-common.h, block_q8_0 to
// block_q5_1). Of blocks in 4 and 5 bits the first 16 numbers lie in low halves of bytes, the last
// 16 in high ones; a fifth bit stands in a word of its own, number after number.
#pragma once
#include "blocks/bits.cuh"

struct Q8_0 {
  struct Bits {
    u32 q[8], scale;
  };
  const u8* data;

  LN_DEVICE Q8_0(const void* matrix, u64) : data(static_cast<const u8*>(matrix)) {}
  LN_DEVICE Bits load(u32 unit) const {
    const u8* p = data + u64(unit) * 34;
    Bits b;
    bits::read_pairs(b.q, p + 2);
    b.scale = bits::two_bytes(p);
    return b;
  }
  LN_DEVICE void numbers(float (&x)[16], const Bits& b, u32, u32 half) const {
    const float scale = bits::half(b.scale);
#pragma unroll
    for (int i = 0; i < 16; i++)
      x[i] = scale * float(i32(bits::word_of_half(b.q, half, i / 4) << (24 - i % 4 * 8)) >> 24);
  }
};

struct Q4_0 {
  struct Bits {
    u32 q[4], scale;
  };
  const u8* data;

  LN_DEVICE Q4_0(const void* matrix, u64) : data(static_cast<const u8*>(matrix)) {}
  LN_DEVICE Bits load(u32 unit) const {
    const u8* p = data + u64(unit) * 18;
    Bits b;
    bits::read_pairs(b.q, p + 2);
    b.scale = bits::two_bytes(p);
    return b;
  }
  LN_DEVICE void numbers(float (&x)[16], const Bits& b, u32, u32 half) const {
    const float scale = bits::half(b.scale);
    u32 q[4];
    bits::take_nibbles(q, b.q, half * 4);
    bits::scaled(x, q, scale, -8 * scale);
  }
};

struct Q4_1 {
  struct Bits {
    u32 q[4], scale;  // the minimum in its high half
  };
  const u8* data;

  LN_DEVICE Q4_1(const void* matrix, u64) : data(static_cast<const u8*>(matrix)) {}
  LN_DEVICE Bits load(u32 unit) const {
    const u8* p = data + u64(unit) * 20;
    Bits b;
    bits::read_words(b.q, p + 4);
    b.scale = bits::word(p);
    return b;
  }
  LN_DEVICE void numbers(float (&x)[16], const Bits& b, u32, u32 half) const {
    u32 q[4];
    bits::take_nibbles(q, b.q, half * 4);
    bits::scaled(x, q, bits::half(b.scale & 0xffffu), bits::half(b.scale >> 16));
  }
};

namespace bits {
// Four bits of each and the fifth, which is bit 16 half + i of `fifth`.
LN_DEVICE void take_five(u32 (&q)[4], const u32 (&low)[4], u32 fifth, u32 half) {
  take_nibbles(q, low, half * 4);
#pragma unroll
  for (int i = 0; i < 16; i++) q[i / 4] |= (fifth >> (half * 16 + i) & 1u) << (i % 4 * 8 + 4);
}
}  // namespace bits

struct Q5_0 {
  struct Bits {
    u32 q[4], fifth, scale;
  };
  const u8* data;

  LN_DEVICE Q5_0(const void* matrix, u64) : data(static_cast<const u8*>(matrix)) {}
  LN_DEVICE Bits load(u32 unit) const {
    const u8* p = data + u64(unit) * 22;
    Bits b;
    bits::read_pairs(b.q, p + 6);
    b.fifth = bits::two_bytes(p + 2) | bits::two_bytes(p + 4) << 16;
    b.scale = bits::two_bytes(p);
    return b;
  }
  LN_DEVICE void numbers(float (&x)[16], const Bits& b, u32, u32 half) const {
    const float scale = bits::half(b.scale);
    u32 q[4];
    bits::take_five(q, b.q, b.fifth, half);
    bits::scaled(x, q, scale, -16 * scale);
  }
};

struct Q5_1 {
  struct Bits {
    u32 q[4], fifth, scale;  // the minimum in its high half
  };
  const u8* data;

  LN_DEVICE Q5_1(const void* matrix, u64) : data(static_cast<const u8*>(matrix)) {}
  LN_DEVICE Bits load(u32 unit) const {
    const u8* p = data + u64(unit) * 24;
    Bits b;
    bits::read_words(b.q, p + 8);
    b.fifth = bits::word(p + 4);
    b.scale = bits::word(p);
    return b;
  }
  LN_DEVICE void numbers(float (&x)[16], const Bits& b, u32, u32 half) const {
    u32 q[4];
    bits::take_five(q, b.q, b.fifth, half);
    bits::scaled(x, q, bits::half(b.scale & 0xffffu), bits::half(b.scale >> 16));
  }
};

// ggml's K types: 256 numbers in a block with scales (and minima) of their parts (ggml-common.h,
// block_q4_K, block_q5_K, block_q6_K).
#pragma once
#include "blocks/bits.cuh"

namespace bits {

// The head of Q4_K and Q5_K: scale and factor of minima in f16, then eight 6-bit scales and eight
// minima in 12 bytes. Scale and offset of part j, of 32 numbers.
LN_DEVICE void scale_of_part(const u32 (&head)[4], u32 j, float* scale, float* offset) {
  const u32 shift = j % 4 * 8, a = head[1] >> shift, b = head[2] >> shift, c = head[3] >> shift;
  const float factor = float(j < 4 ? a & 63u : (c & 15u) | (a >> 6 & 3u) << 4);
  const float minimum = float(j < 4 ? b & 63u : (c >> 4 & 15u) | (b >> 6 & 3u) << 4);
  *offset = -(half(head[0] >> 16) * minimum);
  *scale = half(head[0] & 0xffffu) * factor;
}

}  // namespace bits

// Two parts of 32 share 32 bytes, the first in low halves.
struct Q4_K {
  struct Bits {
    u32 q[8], head[4];
  };
  const u8* data;

  LN_DEVICE Q4_K(const void* matrix, u64) : data(static_cast<const u8*>(matrix)) {}
  LN_DEVICE Bits load(u32 unit) const {
    const u8* p = data + u64(unit / 8) * 144;
    Bits b;
    bits::read_words(b.head, p);
    bits::read_words(b.q, p + 16 + unit % 8 / 2 * 32);
    return b;
  }
  LN_DEVICE void numbers(float (&x)[16], const Bits& b, u32 unit, u32 half) const {
    float scale, offset;
    bits::scale_of_part(b.head, unit % 8, &scale, &offset);
    u32 q[4];
    bits::take_nibbles(q, b.q, half, unit % 2 * 4);
    bits::scaled(x, q, scale, offset);
  }
};

// The fifth bits lie in 32 bytes, of part j in bit j of each.
struct Q5_K {
  struct Bits {
    u32 q[8], fifth[8], head[4];
  };
  const u8* data;

  LN_DEVICE Q5_K(const void* matrix, u64) : data(static_cast<const u8*>(matrix)) {}
  LN_DEVICE Bits load(u32 unit) const {
    const u8* p = data + u64(unit / 8) * 176;
    Bits b;
    bits::read_words(b.head, p);
    bits::read_words(b.fifth, p + 16);
    bits::read_words(b.q, p + 48 + unit % 8 / 2 * 32);
    return b;
  }
  LN_DEVICE void numbers(float (&x)[16], const Bits& b, u32 unit, u32 half) const {
    float scale, offset;
    bits::scale_of_part(b.head, unit % 8, &scale, &offset);
    u32 q[4];
    bits::take_nibbles(q, b.q, half, unit % 2 * 4);
#pragma unroll
    for (int i = 0; i < 4; i++)
      q[i] |= (bits::word_of_half(b.fifth, half, i) >> unit % 8 & 0x01010101u) << 4;
    bits::scaled(x, q, scale, offset);
  }
};

// Halves of 128: four parts of 32, of which the first two lie in low halves of 64 bytes and the
// last two in the high ones; their upper two bits in 32 bytes, part after part; a scale of 8 bits
// for each 16.
struct Q6_K {
  struct Bits {
    u32 q[8], upper[8], scales, scale;
  };
  const u8* data;

  LN_DEVICE Q6_K(const void* matrix, u64) : data(static_cast<const u8*>(matrix)) {}
  LN_DEVICE Bits load(u32 unit) const {
    const u8* p = data + u64(unit / 8) * 210;
    const u32 n = unit % 8 / 4;
    Bits b;
    bits::read_pairs(b.q, p + n * 64 + unit % 2 * 32);
    bits::read_pairs(b.upper, p + 128 + n * 32);
    b.scales = bits::two_bytes(p + 192 + unit % 8 * 2);
    b.scale = bits::two_bytes(p + 208);
    return b;
  }
  LN_DEVICE void numbers(float (&x)[16], const Bits& b, u32 unit, u32 half) const {
    const float scale = bits::half(b.scale) * float(i32(b.scales << (24 - half * 8)) >> 24);
    u32 q[4];
    bits::take_nibbles(q, b.q, half, unit % 4 / 2 * 4);
#pragma unroll
    for (int i = 0; i < 4; i++)
      q[i] |= (bits::word_of_half(b.upper, half, i) >> unit % 4 * 2 & 0x03030303u) << 4;
    bits::scaled(x, q, scale, -32 * scale);
  }
};

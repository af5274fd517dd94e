// Reading and taking apart what the formats of blocks have in common.
#pragma once
#include "gpu.cuh"

typedef unsigned char u8;
typedef unsigned short u16;

namespace bits {

LN_DEVICE u32 two_bytes(const u8* p) { return *reinterpret_cast<const u16*>(p); }
LN_DEVICE u32 word(const u8* p) { return *reinterpret_cast<const u32*>(p); }
LN_DEVICE float half(u32 x) { return widen(gpu_f16{u16(x)}); }

// 4 WORDS bytes that begin at a multiple of four, of two or anywhere.
template <int WORDS>
LN_DEVICE void read_words(u32 (&to)[WORDS], const u8* p) {
#pragma unroll
  for (int i = 0; i < WORDS; i++) to[i] = word(p + i * 4);
}
template <int WORDS>
LN_DEVICE void read_pairs(u32 (&to)[WORDS], const u8* p) {
#pragma unroll
  for (int i = 0; i < WORDS; i++) to[i] = two_bytes(p + i * 4) | two_bytes(p + i * 4 + 2) << 16;
}
template <int WORDS>
LN_DEVICE void read_bytes(u32 (&to)[WORDS], const u8* p) {
#pragma unroll
  for (int i = 0; i < WORDS; i++)
    to[i] = p[i * 4] | p[1 + i * 4] << 8 | p[2 + i * 4] << 16 | u32(p[3 + i * 4]) << 24;
}

// Byte i of words.
LN_DEVICE u32 byte(const u32 (&words)[4], int i) { return words[i / 4] >> (i % 4 * 8) & 255u; }

// Word i of the first or second four of eight; no register is indexed where `half` is not known.
LN_DEVICE u32 word_of_half(const u32 (&words)[8], u32 half, int i) {
  return half ? words[4 + i] : words[i];
}

// Four bits of each byte, from `shift` on. A mask a word, so that a number is a byte, which
// conversions read as it lies.
LN_DEVICE void take_nibbles(u32 (&to)[4], const u32 (&from)[4], u32 shift) {
#pragma unroll
  for (int i = 0; i < 4; i++) to[i] = from[i] >> shift & 0x0f0f0f0fu;
}
LN_DEVICE void take_nibbles(u32 (&to)[4], const u32 (&from)[8], u32 half, u32 shift) {
#pragma unroll
  for (int i = 0; i < 4; i++) to[i] = word_of_half(from, half, i) >> shift & 0x0f0f0f0fu;
}

// x = scale q + offset, of bytes.
LN_DEVICE void scaled(float (&x)[16], const u32 (&q)[4], float scale, float offset) {
#pragma unroll
  for (int i = 0; i < 16; i++) x[i] = scale * float(byte(q, i)) + offset;
}

}  // namespace bits

// Eight of 16 numbers, from `first` on, as 16 bytes.
template <typename T>
LN_DEVICE Chunk packed(const float (&x)[16], int first) {
  Chunk c;
#pragma unroll
  for (int i = 0; i < 4; i++) c.words[i] = pack<T>(x[first + 2 * i], x[first + 2 * i + 1]);
  return c;
}

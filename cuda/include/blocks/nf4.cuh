// NF4, see lora_ops.h: number i = code[bits i] scale[i / 64], and its scales are quantized again.
#pragma once
#include "blocks/bits.cuh"

// What a matrix of n numbers begins with. Behind it: n / 2 bytes of numbers, the first of a pair in
// the high bits; n / 64 scales as indices of scale_code, in f32 for 256 of them a factor.
struct Nf4Header {
  float code[16], scale_code[256], scale_offset;
  u32 reserved;
  i64 n;
};
static_assert(sizeof(Nf4Header) == 1104, "numbers begin at a multiple of 16");

// Where the 16 values are looked up. In memory: any thread by itself.
struct CodeInMemory {
  const float* code;

  LN_DEVICE explicit CodeInMemory(const Nf4Header* header) : code(header->code) {}
  LN_DEVICE void look_up(float (&x)[16], const u32 (&index)[16]) const {
#pragma unroll
    for (int i = 0; i < 16; i++) x[i] = code[index[i] & 15u];
  }
};
// In the registers of a warp, whose lanes all ask together: a shuffle for a number, without a mask
// or an address, and no table in shared memory.
struct CodeInWarp {
  float own;

  LN_DEVICE explicit CodeInWarp(const Nf4Header* header) : own(header->code[threadIdx.x % 16]) {}
  LN_DEVICE void look_up(float (&x)[16], const u32 (&index)[16]) const {
    from_lanes_of_16(x, own, index);
  }
};

template <typename Code>
struct Nf4In {
  struct Bits {
    Chunk q;
    u32 index;
    float factor;
  };
  const Nf4Header* header;
  const u8* indices;
  const float* factors;
  float offset;
  Code code;

  LN_DEVICE Nf4In(const void* matrix, u64 n)
      : header(static_cast<const Nf4Header*>(matrix)), code(header) {
    indices = reinterpret_cast<const u8*>(header + 1) + n / 2;
    factors = reinterpret_cast<const float*>(indices + (n / 64 + 3) / 4 * 4);
    offset = header->scale_offset;
  }
  LN_DEVICE Bits load(u32 unit) const {
    Bits b;
    b.q = load_chunk(reinterpret_cast<const Chunk*>(header + 1) + unit);
    b.index = indices[unit / 2];
    b.factor = factors[unit / 512];
    return b;
  }
  LN_DEVICE void numbers(float (&x)[16], const Bits& b, u32, u32 half) const {
    const float scale = header->scale_code[b.index] * b.factor + offset;
    u32 index[16];
#pragma unroll
    for (int i = 0; i < 16; i++)  // the first of a pair in the high bits
      index[i] =
          (half ? b.q.words[2 + i / 8] : b.q.words[i / 8]) >> (i % 8 / 2 * 8 + (i % 2 ? 0 : 4));
    code.look_up(x, index);
#pragma unroll
    for (int i = 0; i < 16; i++) x[i] *= scale;
  }
};
typedef Nf4In<CodeInWarp> Nf4;

// MXFP4 (Open Compute Project, Microscaling Formats 1.0): 32 floats of 4 bits (E2M1) and the power
// of two that multiplies them, as ggml lays them out: the exponent, then 16 bytes, the first 16
// numbers in their low halves.
#pragma once
#include "blocks/bits.cuh"

// Twice the float in the low four bits of q.
LN_DEVICE float twice_e2m1(u32 q) {
  const u32 exponent = q >> 1 & 3u, fraction = q & 1u;
  const i32 whole = i32(exponent ? (2 + fraction) << (exponent - 1) : fraction);
  return float(q & 8u ? -whole : whole);
}

// Each by itself; and looked up in the registers of a warp, whose lanes all ask together.
struct TwiceAlone {
  LN_DEVICE void look_up(float (&x)[16], const u32 (&index)[16]) const {
#pragma unroll
    for (int i = 0; i < 16; i++) x[i] = twice_e2m1(index[i]);
  }
};
struct TwiceInWarp {
  float own = twice_e2m1(threadIdx.x);

  LN_DEVICE void look_up(float (&x)[16], const u32 (&index)[16]) const {
    from_lanes_of_16(x, own, index);
  }
};

template <typename Twice>
struct Mxfp4In {
  struct Bits {
    u32 q[4], exponent;
  };
  const u8* data;
  Twice twice;

  LN_DEVICE Mxfp4In(const void* matrix, u64) : data(static_cast<const u8*>(matrix)) {}
  LN_DEVICE Bits load(u32 unit) const {
    const u8* p = data + u64(unit) * 17;
    Bits b;
    bits::read_bytes(b.q, p + 1);
    b.exponent = p[0];
    return b;
  }
  LN_DEVICE void numbers(float (&x)[16], const Bits& b, u32, u32 half) const {
    // Half of 2^(e - 127), since twice the numbers are whole.
    const u32 e = b.exponent;
    const float scale = __uint_as_float(e < 2 ? 0x200000u << e : (e - 1) << 23);
    u32 index[16];
#pragma unroll
    for (int i = 0; i < 16; i++) index[i] = b.q[i / 4] >> (i % 4 * 8 + half * 4);
    twice.look_up(x, index);
#pragma unroll
    for (int i = 0; i < 16; i++) x[i] *= scale;
  }
};
typedef Mxfp4In<TwiceInWarp> Mxfp4;

// Frozen weights in blocks of 4 to 8 bits, as ggml, bitsandbytes and FP8 checkpoints store them. No
// 16-bit copy of the matrix is kept in device memory.
//
// A format is a class (blocks/*.cuh) that is made from the address of a matrix and the count of its
// numbers. It knows of 32 neighbours, a unit, how their bits are read, and how 16 of them, the
// first or the second half, become numbers: scale q + offset, in NF4 and MXFP4 value[q] scale, in
// FP8 scale times a float.
//
//   struct Bits                           a unit in registers
//   Bits load(unit)                       issues the reads; some products between, then
//   numbers(x, bits, unit, half)          takes the half apart
//
// Blocks of 18, 22, 34 and 210 bytes are read two bytes at a time, those of 17 byte by byte, since
// nothing more is aligned. Rows are whole blocks, so whole units; 32 bits count the units of every
// matrix that a card could hold. To add a format, write its class and name it in types.h.
#pragma once
#include "blocks/fp8.cuh"
#include "blocks/k_quants.cuh"
#include "blocks/mxfp4.cuh"
#include "blocks/nf4.cuh"
#include "blocks/quants.cuh"

constexpr int kUnit = 32;

// A format as a thread reads it by itself, where a warp's lanes may have gone different ways.
template <typename Format>
struct Alone {
  typedef Format Type;
};
template <>
struct Alone<Nf4> {
  typedef Nf4In<CodeInMemory> Type;
};
template <>
struct Alone<Mxfp4> {
  typedef Mxfp4In<TwiceAlone> Type;
};

// 16 neighbours, from number `at` on, of a matrix of n numbers whose format is known when the
// kernel runs: for kernels that spend their time elsewhere.
LN_DEVICE void read_sixteen(float (&x)[16], const void* matrix, u64 n, i32 format, u64 at) {
  const u32 unit = u32(at / kUnit);
  auto read = [&](const auto& from) {
    from.numbers(x, from.load(unit), unit, u32(at % kUnit / 16));
  };
  switch (format) {
#define LN_READ_SIXTEEN(name, Format) \
  case k##Format:                     \
    return read(Alone<Format>::Type(matrix, n));
    LN_BLOCK_FORMATS(LN_READ_SIXTEEN)
#undef LN_READ_SIXTEEN
  }
}

// A matrix product, as every device understands it.
#pragma once
#include <stdint.h>

namespace ln {

// One operand: a row-major matrix, or the transpose of one.
struct Matrix {
  int64_t address;
  int32_t dtype;
  bool transposed;
};

// C [M, N] = scale A [M, K] B [K, N] (+ bias [N] f32) (+ C if accumulate). a.transposed says that
// memory holds [K, M]; likewise b. C is not transposed. rows_left (or 0) is the address of an i32
// on the device: rows at and past rows_left - row_offset need not be computed.
struct Gemm {
  int64_t M, N, K;
  Matrix a, b, c;
  int64_t bias = 0;
  float scale = 1.0f;
  bool accumulate = false;
  int64_t rows_left = 0, row_offset = 0;
  int64_t rank = 0, low_a = 0, low_b = 0;

  // The same call without its low-rank term, and that term alone, added to C.
  Gemm without_low_rank() const {
    Gemm g = *this;
    g.rank = 0;
    return g;
  }
  Gemm low_rank_alone() const {
    Gemm g{M, N, rank, {low_a, a.dtype, false}, {low_b, a.dtype, b.transposed}, c};
    g.accumulate = true;
    return g;
  }
};

}  // namespace ln

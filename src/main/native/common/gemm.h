// A matrix product, as every device understands it.
#pragma once
#include <stdint.h>

namespace ln {

// One operand: a row-major matrix, or the transpose of one. Rows in memory are `stride` elements
// apart, 0 for no gaps.
struct Matrix {
  int64_t address;
  int32_t dtype;
  bool transposed;
  int64_t stride = 0;

  // The distance of rows in memory, for a matrix that is read as [rows, columns].
  int64_t pitch(int64_t rows, int64_t columns) const {
    return stride ? stride : transposed ? rows : columns;
  }
};

// C [M, N] = scale A [M, K] B [K, N] (+ bias [N] f32) (+ C if accumulate). a.transposed says that
// memory holds [K, M]; likewise b. C is not transposed. rows_left (or 0) is the address of an i32
// on the device: rows at and past rows_left - row_offset need not be computed. depth_left (or 0)
// bounds K alike: what lies behind it is not read. Cards alone know it, of an A that is transposed.
struct Gemm {
  int64_t M, N, K;
  Matrix a, b, c;
  int64_t bias = 0;
  float scale = 1.0f;
  bool accumulate = false;
  int64_t rows_left = 0, depth_left = 0, row_offset = 0;
  // The low-rank term: + L [M, rank] R [rank, N], both laid out and typed as a and b.
  int64_t rank = 0;
  Matrix low_a{}, low_b{};
  // Device memory of Device::gemm_scratch bytes, for products of so many rows that B's blocks are
  // dequantized for all of them at once.
  int64_t scratch = 0;

  // The same call without its low-rank term, and that term alone, added to C.
  Gemm without_low_rank() const {
    Gemm g = *this;
    g.rank = 0;
    return g;
  }
  Gemm low_rank_alone() const {
    Gemm g{M, N, rank, low_a, low_b, c};
    g.scale = scale;
    g.accumulate = true;
    return g;
  }
};

}  // namespace ln

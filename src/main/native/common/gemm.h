// A matrix product, as every device understands it.
#pragma once
#include <stdint.h>

#include "lora_ops.h"

namespace ln {

// One operand: a row-major matrix, or the transpose of one. Rows in memory are `stride` elements
// apart, 0 for no gaps; `filled` if zeros follow each, up to a multiple of 8.
struct Matrix {
  int64_t address;
  int32_t dtype;
  bool transposed;
  int64_t stride = 0;
  bool filled = false;

  // The distance of rows in memory, for a matrix that is read as [rows, columns].
  int64_t pitch(int64_t rows, int64_t columns) const {
    return stride ? stride : transposed ? rows : columns;
  }
};

// Rows of C that lie apart from the others: the first `rows` of `room` are wanted.
struct RowPart {
  int64_t address, rows, room;
};

// A gated linear unit that takes a product's C, all [M, N] without gaps. Forward, where `up` is 0:
// C is its up, y = act(gate) C. Backward: C is what comes back to its y, dgate = C up act'(gate)
// goes to y's place and dup = C act(gate) to C's own. gate 0: there is none.
struct GatedUnit {
  int64_t gate = 0, up = 0, y = 0;
  int32_t act = 0;
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
  // If there are some, where the rows of C lie, in their order, in place of c.address: f32, of an A
  // that is transposed. Cards alone know them; each_part is the same for all.
  int parts = 0;
  RowPart part[4] = {};
  // Another product that reads nothing of this one, to be made with it. Cards alone know it.
  const Gemm* beside = nullptr;
  // Of a C that is not added to. Cards alone know it; product() in composed/ is the same for all.
  GatedUnit unit{};
  // Device memory of Device::gemm_scratch bytes, for products of so many rows that B's blocks are
  // dequantized for all of them at once.
  int64_t scratch = 0;

  // The same call without its low-rank term, and that term alone, added to C.
  Gemm without_low_rank() const {
    Gemm g = *this;
    g.rank = 0;
    return g;
  }
  // Calls product(Gemm) of each part.
  template <typename Product>
  int each_part(Product product) const {
    int64_t before = 0;
    for (int i = 0; i < parts; i++) {
      Gemm g = *this;
      g.parts = 0;
      g.M = part[i].rows;
      g.a.stride = a.pitch(M, K);
      g.a.address += before * (a.dtype == LN_F32 ? 4 : 2);
      g.c.address = part[i].address;
      if (int status = product(g)) return status;
      before += part[i].room;
    }
    return 0;
  }
  Gemm low_rank_alone() const {
    Gemm g{M, N, rank, low_a, low_b, c};
    g.scale = scale;
    g.accumulate = true;
    return g;
  }
};

}  // namespace ln

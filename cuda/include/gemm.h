// Matrix product: tile and signatures.
#pragma once
#include "types.h"

struct GemmTile {
  static constexpr int kRows = 64, kColumns = 64, kDepth = 16, kThreads = 256;
  static constexpr int kStride = kRows + 4;  // padded, so that a column of A is free of conflicts
  static constexpr int kSharedBytes = 2 * kDepth * kStride * 4;
};

// One call: C [M, N] = scale A [M, K] B [K, N] (+ bias [N]) (+ C). Strides in elements, so either
// operand may be a transpose. rows_left (or null) points to a count on the device: rows at and past
// count - row_offset are not computed. depth_left (or null) bounds K alike.
struct GemmArguments {
  const i32* depth_left;
  i64 a_row, a_column, b_row, b_column, c_row;
  i64 M, N, K, row_offset;
  float scale;
  int accumulate, c_is_f32;
  i32 b_format;  // not 0: b is a matrix in blocks (blocks.cuh), [N, K] if b_row is 1, else [K, N]
};
LN_SIGNATURES(gemm, (const T* a, const T* b, void* c, const float* bias, const i32* rows_left,
                     GemmArguments g))

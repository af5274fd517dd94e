// Matrix product on the tensor cores with a low-rank term: tiles and signatures.
#pragma once
#include "types.h"

// BM x BN of C for a block, WM x WN for a warp, K 32 deep, STAGES tiles of A and B in flight,
// BLOCKS of them on a multiprocessor.
template <int BM, int BN, int WM, int WN, int STAGES, int BLOCKS>
struct TensorTile {
  static constexpr int kRows = BM, kColumns = BN, kWarpRows = WM, kWarpColumns = WN;
  static constexpr int kStages = STAGES, kBlocks = BLOCKS, kDepth = 32, kSplitDepth = kDepth;
  static constexpr int kThreads = BM / WM * (BN / WN) * 32;
  static constexpr int kSharedBytes = STAGES * kDepth * 2 * (BM + BN);
};
// For long batches; where few rows would leave most of a card idle; and for the products with an
// adapter's rank on one side.
typedef TensorTile<128, 128, 64, 32, 3, 2> LargeTile;
typedef TensorTile<64, 64, 32, 32, 3, 3> SmallTile;
typedef TensorTile<128, 32, 32, 32, 3, 3> TallTile;
typedef TensorTile<32, 128, 32, 32, 3, 3> WideTile;

// C [M, N] = scale (op(A) op(B) + op(A2) op(B2)) (+ bias) (+ C). Letters say how A [M, K] and
// B [K, N] lie in memory: n as they are written, t as the transpose; the low-rank pair A2 [M, R],
// B2 [R, N] likewise. Rows of every operand begin at multiples of 16 bytes.
struct TensorGemmArguments {
  const void *a, *b, *low_a, *low_b;
  i64 a_stride, b_stride, low_a_stride, low_b_stride;
  void* c;
  i64 c_stride;
  const float* bias;
  const i32 *rows_left, *depth_left;  // bounds of M and, where A is transposed, of K
  float* partial;  // not null: split gridDim.z writes its sum to partial [z, M, N], nothing to C
  i64 M, N, K, R, row_offset;
  float scale;
  int accumulate, c_is_f32;
  i32 unused;
};
LN_SIGNATURES_16_BIT(tensor_gemm_nt_large, (TensorGemmArguments g))
LN_SIGNATURES_16_BIT(tensor_gemm_nt_small, (TensorGemmArguments g))
LN_SIGNATURES_16_BIT(tensor_gemm_nt_tall, (TensorGemmArguments g))
LN_SIGNATURES_16_BIT(tensor_gemm_nn_large, (TensorGemmArguments g))
LN_SIGNATURES_16_BIT(tensor_gemm_nn_small, (TensorGemmArguments g))
LN_SIGNATURES_16_BIT(tensor_gemm_nn_tall, (TensorGemmArguments g))
LN_SIGNATURES_16_BIT(tensor_gemm_tn_small, (TensorGemmArguments g))
LN_SIGNATURES_16_BIT(tensor_gemm_tn_tall, (TensorGemmArguments g))
LN_SIGNATURES_16_BIT(tensor_gemm_tn_wide, (TensorGemmArguments g))
// Adds the splits' sums in order and writes C. One thread for an element.
LN_SIGNATURES_16_BIT(add_splits, (TensorGemmArguments g, i64 splits))

// Two products in tall tiles, whose blocks run side by side: dy B and dy^T xa, which read the same
// dy. partial is null where K is not split.
struct TensorGemmPair {
  TensorGemmArguments first, second;  // nn and tn, N at most TallTile::kColumns
  u32 first_tiles, first_splits, second_tiles, second_splits;
};
LN_SIGNATURES_16_BIT(tensor_gemm_pair, (TensorGemmPair p))
// add_splits of both.
LN_SIGNATURES_16_BIT(add_split_pair, (TensorGemmPair p))

// Where rows of C lie that are apart: the first `rows` of each `room` at c, f32, N to a row.
struct RowParts {
  static constexpr int kMost = 4;
  float* c[kMost];
  i64 rows[kMost], room[kMost];
};
// add_splits for such a C.
LN_SIGNATURE add_splits_apart(TensorGemmArguments g, i64 splits, RowParts parts);

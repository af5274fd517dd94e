// Matrix product with a matrix in blocks: tiles and signatures.
#pragma once
#include "tensor_gemm.h"

// As TensorTile; K 64 deep, two stages of A and one of W.
template <int BM, int BN, int WM, int WN, int BLOCKS>
struct BlockGemmTile {
  static constexpr int kRows = BM, kColumns = BN, kWarpRows = WM, kWarpColumns = WN;
  static constexpr int kBlocks = BLOCKS, kDepth = 64, kSplitDepth = 32;
  static constexpr int kThreads = BM / WM * (BN / WN) * 32;
  static constexpr int kSharedBytes = kDepth * 2 * (2 * BM + BN);
};
typedef BlockGemmTile<128, 128, 64, 32, 2> LargeBlockTile;
typedef BlockGemmTile<64, 64, 32, 32, 3> SmallBlockTile;

// to [rows, columns] = that part of a matrix of `count` numbers in rows of all_columns, from (row0,
// column0) on, dequantized. Columns are whole blocks.
struct PanelArguments {
  const void* from;
  u64 count, all_columns, row0, column0, rows, columns;  // but for count of 32 bits
};
// A thread for 32 neighbours.
struct PanelTile {
  static constexpr int kThreads = 256, kNumbers = 32, kSharedBytes = kThreads * kNumbers * 2;
};

// g.b is the matrix, in blocks of the format that ends the name.
#define LN_BLOCK_GEMM_SIGNATURES(format, Format)                              \
  LN_SIGNATURES_16_BIT(block_gemm_nt_large_##format, (TensorGemmArguments g)) \
  LN_SIGNATURES_16_BIT(block_gemm_nt_small_##format, (TensorGemmArguments g)) \
  LN_SIGNATURES_16_BIT(block_gemm_nn_large_##format, (TensorGemmArguments g)) \
  LN_SIGNATURES_16_BIT(block_gemm_nn_small_##format, (TensorGemmArguments g)) \
  LN_SIGNATURES_16_BIT(dequantize_panel_##format, (PanelArguments p, T * to))
LN_BLOCK_FORMATS(LN_BLOCK_GEMM_SIGNATURES)

// Matrix product with a matrix in blocks: tiles and signatures.
#pragma once
#include "tensor_gemm.h"

// A tile with room for NF4's values, 16 for each lane of a warp.
template <typename Plain>
struct BlockTiles : Plain {
  static constexpr int kTileBytes = Plain::kSharedBytes;
  static constexpr int kSharedBytes = Plain::kSharedBytes + 16 * 32 * 4;
};
// One block on a multiprocessor: with the values, two would not fit the shared memory of a GeForce.
typedef BlockTiles<TensorTile<128, 128, 64, 32, 3, 1>> LargeBlockTile;
typedef BlockTiles<SmallTile> SmallBlockTile;

// g.b is the matrix, g.b_format how its blocks lie.
LN_SIGNATURES_16_BIT(block_gemm_nt_large, (TensorGemmArguments g))
LN_SIGNATURES_16_BIT(block_gemm_nt_small, (TensorGemmArguments g))
LN_SIGNATURES_16_BIT(block_gemm_nn_large, (TensorGemmArguments g))
LN_SIGNATURES_16_BIT(block_gemm_nn_small, (TensorGemmArguments g))

// to [rows, columns] = that part of the matrix g.b from (row0, column0) on, dequantized. A thread
// for 16 neighbours; columns are a multiple of 16.
struct PanelArguments {
  const void* from;
  i64 all_rows, all_columns, row0, column0, rows, columns;
  i32 format;
};
struct PanelTile16 {
  static constexpr int kThreads = 256, kNumbers = 16, kSharedBytes = 16 * 32 * 4;
};
LN_SIGNATURES_16_BIT(dequantize_panel, (PanelArguments p, T* to))

// Matrix product with a matrix in blocks: tiles and signatures.
#pragma once
#include "tensor_gemm.h"

// A tile with room for NF4's values, 16 for each lane of a warp.
template <typename Plain>
struct BlockTiles : Plain {
  static constexpr int kTileBytes = Plain::kSharedBytes;
  static constexpr int kSharedBytes = Plain::kSharedBytes + 16 * 32 * 4;
};
typedef BlockTiles<LargeTile> LargeBlockTile;
typedef BlockTiles<SmallTile> SmallBlockTile;

// g.b is the matrix, g.b_format how its blocks lie.
LN_SIGNATURES_16_BIT(block_gemm_nt_large, (TensorGemmArguments g))
LN_SIGNATURES_16_BIT(block_gemm_nt_small, (TensorGemmArguments g))
LN_SIGNATURES_16_BIT(block_gemm_nn_large, (TensorGemmArguments g))
LN_SIGNATURES_16_BIT(block_gemm_nn_small, (TensorGemmArguments g))

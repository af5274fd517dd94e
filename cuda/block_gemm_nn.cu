// Matrix product whose right side is a frozen matrix in blocks of 4 to 8 bits, backward to x.
//
//   C [M, N] = scale (A W + A2 B2) (+ C),  W [K, N] in blocks
//
// As block_gemm_nt.cu, which see.
#include "block_loop.cuh"

#define LN_BLOCK_GEMM_NN(format, Format)                                             \
  LN_INSTANCES_16_BIT((LargeBlockTile::kThreads, kBlocksOf<LargeBlockTile, Format>), \
                      block_gemm_nn_large_##format, (TensorGemmArguments g),         \
                      block_gemm<LargeBlockTile, Format, T, false>(g))               \
  LN_INSTANCES_16_BIT((SmallBlockTile::kThreads, kBlocksOf<SmallBlockTile, Format>), \
                      block_gemm_nn_small_##format, (TensorGemmArguments g),         \
                      block_gemm<SmallBlockTile, Format, T, false>(g))
LN_BLOCK_FORMATS(LN_BLOCK_GEMM_NN)

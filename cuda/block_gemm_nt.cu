// Matrix product whose right side is a frozen matrix in blocks of 4 to 8 bits, forward.
//
//   C [M, N] = scale (A W^T + A2 B2) (+ bias) (+ C),  W [N, K] in blocks
//
// A kernel for each format. Tiles, low-rank steps and splits are those of tensor_gemm.cu, the main
// loop is block_loop.cuh's: a tile of W is read as bits into registers before the products of a
// step and stored as numbers behind them (blocks.cuh), so memory is read once and 4.1 to 8.5 bits a
// number. Shared memory: 48 KB, the small tile's 24. FLOPs: 2 M N (K + R); bound by the tensor
// cores where a number is taken apart for 64 or 128 rows: 4 instructions in NF4, 4 to 7 in others.
#include "block_loop.cuh"

#define LN_BLOCK_GEMM_NT(format, Format)                                             \
  LN_INSTANCES_16_BIT((LargeBlockTile::kThreads, kBlocksOf<LargeBlockTile, Format>), \
                      block_gemm_nt_large_##format, (TensorGemmArguments g),         \
                      block_gemm<LargeBlockTile, Format, T, true>(g))                \
  LN_INSTANCES_16_BIT((SmallBlockTile::kThreads, kBlocksOf<SmallBlockTile, Format>), \
                      block_gemm_nt_small_##format, (TensorGemmArguments g),         \
                      block_gemm<SmallBlockTile, Format, T, true>(g))
LN_BLOCK_FORMATS(LN_BLOCK_GEMM_NT)

// Products of a mixture's rows with their experts' matrices, which lie in blocks of 4 to 8 bits: as
// expert_gemm_nt and _nn of experts.cu, by the main loop of block_gemm_nt.cu. A kernel for each
// format.
#include "block_loop.cuh"
#include "experts.cuh"

template <typename Tile, typename Format, typename T, bool B_TRANSPOSED>
LN_DEVICE void expert_block_gemm(const ExpertArguments& all) {
  const ExpertProduct<Tile, T> own(all);
  if (own.expert < 0) return;  // the whole block
  const BlockMatrix<Format> w(all.w, B_TRANSPOSED ? all.N : all.K, B_TRANSPOSED ? all.K : all.N,
                              all.E, own.expert);
  BlockProduct<Tile, Format, T, B_TRANSPOSED>::run(own.g, own.rows, w);
}

#define LN_EXPERT_BLOCK_GEMM(format, Format)                                 \
  LN_INSTANCES_16_BIT((SmallBlockTile::kThreads, SmallBlockTile::kBlocks),   \
                      expert_block_gemm_nt_##format, (ExpertArguments g),    \
                      expert_block_gemm<SmallBlockTile, Format, T, true>(g)) \
  LN_INSTANCES_16_BIT((SmallBlockTile::kThreads, SmallBlockTile::kBlocks),   \
                      expert_block_gemm_nn_##format, (ExpertArguments g),    \
                      expert_block_gemm<SmallBlockTile, Format, T, false>(g))
LN_BLOCK_FORMATS(LN_EXPERT_BLOCK_GEMM)

// gated_gemm.cu for Hopper (H100, H200): products by hopper.cu's main loop, whose C goes through a
// gated linear unit.
//
// Tiles and shared memory are hopper.cu's (128 x 256 x 64, 193 KB; 128 x 128 x 64, 97 KB); the tile
// of C takes 66 or 34 KB of it in the end. Bound by the tensor cores; the epilogue, which a broad
// tile does not overlap with another block's products, by memory: 6 bytes a number forward, 8
// backward.
#include "gated_epilogue.cuh"
#include "warpgroup_loop.cuh"

#ifdef LN_WARPGROUPS
template <typename Tile, typename T, bool B_TRANSPOSED, bool BACKWARD>
LN_DEVICE void gated_gemm(const MappedGemmArguments& m, const GatedArguments& u) {
  WarpgroupProduct<Tile, T, B_TRANSPOSED>::template run_mapped<MatrixOperands<Tile, B_TRANSPOSED>>(
      m, m.g.M, GatedEpilogue<Tile, T, BACKWARD>{m.g, u});
}

#define LN_HOPPER_GATED(name, Tile, backward)                                      \
  LN_INSTANCES_16_BIT((Tile::kThreads, Tile::kBlocks), name,                       \
                      (const LN_CONSTANT MappedGemmArguments g, GatedArguments u), \
                      (gated_gemm<Tile, T, !backward, backward>(g, u)))
LN_HOPPER_GATED(hopper_gated_fwd_broad, BroadTile, false)
LN_HOPPER_GATED(hopper_gated_fwd_square, SquareTile, false)
LN_HOPPER_GATED(hopper_gated_bwd_broad, BroadTile, true)
LN_HOPPER_GATED(hopper_gated_bwd_square, SquareTile, true)
#endif

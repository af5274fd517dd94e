// Matrix products and convolutions for Hopper (H100, H200), on warpgroups' tensor-core
// instructions.
//
//   C [M, N] = scale (A B + A2 B2) (+ bias) (+ C)                 as tensor_gemm.cu
//   y = P w^T (+ bias),  dx = Q v                                 as tensor_conv.cu
//
// Tile: 128 x 256 x 64 with two warpgroups of 64 x 256, one block on a multiprocessor; 128 x 128
// with two blocks. Four (three) stages; the tensor cores read operands from swizzled shared memory
// by themselves. One thread begins copies of whole tiles by tensor maps, which also fill in the
// zeros beyond an edge: boxes of matrices, and of images the patches under a tap. Convolutions
// whose channels are no whole boxes of 64, or that go back through a stride: cp.async, 16 bytes a
// thread. Shared memory: 193 or 97 KB. FLOPs: 2 M N (K + R). Bound by the tensor cores: 680 TFLOP/s
// at M = N = K = 4096, 783 at K = 14336 (H100 80GB HBM3; mma.sync 300, cuBLAS 764).
#include "conv_views.cuh"
#include "hopper.h"
#include "warpgroup_loop.cuh"

#ifdef LN_WARPGROUPS
template <typename Tile, typename T>
LN_DEVICE void forward(const TensorGemmArguments& g, const ConvArguments& c) {
  const PatchView<T> patches{static_cast<const T*>(g.a), c, i32(g.M), i32(g.K)};
  const MatrixView<T> w{static_cast<const T*>(g.b), g.K, g.N, g.K};
  WarpgroupProduct<Tile, T, true>::run(g, g.M, patches, w);
}

template <typename Tile, typename T>
LN_DEVICE void backward(const TensorGemmArguments& g, const ConvArguments& c) {
  const OutputView<T> outputs{static_cast<const T*>(g.a), c, i32(g.M), i32(g.K)};
  const TapView<T> w{static_cast<const T*>(g.b), c, i32(g.K)};
  WarpgroupProduct<Tile, T, false>::run(g, g.M, outputs, w);
}

#define LN_HOPPER_GEMM(name, Tile, b_transposed)                                     \
  LN_INSTANCES_16_BIT((Tile::kThreads, Tile::kBlocks), name,                         \
                      (const LN_CONSTANT MappedGemmArguments g),                     \
                      (WarpgroupProduct<Tile, T, b_transposed>::template run_mapped< \
                          MatrixOperands<Tile, b_transposed>>(g, rows_of(g.g))))
LN_HOPPER_GEMM(hopper_gemm_nt_broad, BroadTile, true)
LN_HOPPER_GEMM(hopper_gemm_nt_square, SquareTile, true)
LN_HOPPER_GEMM(hopper_gemm_nn_broad, BroadTile, false)
LN_HOPPER_GEMM(hopper_gemm_nn_square, SquareTile, false)

#define LN_HOPPER_CONV(name, Tile, direction)                \
  LN_INSTANCES_16_BIT((Tile::kThreads, Tile::kBlocks), name, \
                      (TensorGemmArguments g, ConvArguments c), direction<Tile, T>(g, c))
LN_HOPPER_CONV(hopper_conv_fwd_broad, BroadTile, forward)
LN_HOPPER_CONV(hopper_conv_fwd_square, SquareTile, forward)
LN_HOPPER_CONV(hopper_conv_bwd_broad, BroadTile, backward)
LN_HOPPER_CONV(hopper_conv_bwd_square, SquareTile, backward)

#define LN_HOPPER_MAPPED_CONV(name, Tile, backwards)                                              \
  LN_INSTANCES_16_BIT(                                                                            \
      (Tile::kThreads, Tile::kBlocks), name, (const LN_CONSTANT MappedConvArguments c),           \
      (WarpgroupProduct<Tile, T, !backwards>::template run_mapped<ConvOperands<Tile, backwards>>( \
          c, c.g.M)))
LN_HOPPER_MAPPED_CONV(hopper_mapped_conv_fwd_broad, BroadTile, false)
LN_HOPPER_MAPPED_CONV(hopper_mapped_conv_fwd_square, SquareTile, false)
LN_HOPPER_MAPPED_CONV(hopper_mapped_conv_bwd_broad, BroadTile, true)
LN_HOPPER_MAPPED_CONV(hopper_mapped_conv_bwd_square, SquareTile, true)
#endif

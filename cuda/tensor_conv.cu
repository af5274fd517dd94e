// Convolution on the tensor cores, as an implicit matrix product: no matrix of patches exists.
//
//   y [B OH OW, O] = P w^T (+ bias),  P [., (ky, kx, i)] the pixels under the kernel
//   dx [B H W, I] = Q v,              Q [., (ky, kx, o)] the outputs that a pixel went into,
//                                     v [(ky, kx, o), I] = w [o, ky, kx, I]
//
// The main loop, tiles and splits are those of tensor_gemm.cu; only where a chunk of 8 channels
// lies is worked out here, 16 bytes of NHWC memory under one tap. Rows and depth are taken apart by
// multiplications (Divisor). FLOPs: 2 B OH OW O I kernel^2. Bound by the tensor cores from about 64
// channels on. Backward with stride 2 multiplies the zeros between outputs too: three layers of a
// UNet, at a quarter of their input's pixels.
#include "conv_views.cuh"
#include "tensor_loop.cuh"

template <typename Tile, typename T>
LN_DEVICE void forward(const TensorGemmArguments& g, const ConvArguments& c) {
  const PatchView<T> patches{static_cast<const T*>(g.a), c, i32(g.M), i32(g.K)};
  const MatrixView<T> w{static_cast<const T*>(g.b), g.K, g.N, g.K};
  TensorProduct<Tile, T, false, true>::run(g, g.M, patches, w);
}

template <typename Tile, typename T>
LN_DEVICE void backward(const TensorGemmArguments& g, const ConvArguments& c) {
  const OutputView<T> outputs{static_cast<const T*>(g.a), c, i32(g.M), i32(g.K)};
  const TapView<T> w{static_cast<const T*>(g.b), c, i32(g.K)};
  TensorProduct<Tile, T, false, false>::run(g, g.M, outputs, w);
}

#define LN_TENSOR_CONV(name, Tile, direction)                \
  LN_INSTANCES_16_BIT((Tile::kThreads, Tile::kBlocks), name, \
                      (TensorGemmArguments g, ConvArguments c), direction<Tile, T>(g, c))
LN_TENSOR_CONV(tensor_conv_fwd_large, LargeTile, forward)
LN_TENSOR_CONV(tensor_conv_fwd_small, SmallTile, forward)
LN_TENSOR_CONV(tensor_conv_fwd_tall, TallTile, forward)
LN_TENSOR_CONV(tensor_conv_bwd_large, LargeTile, backward)
LN_TENSOR_CONV(tensor_conv_bwd_small, SmallTile, backward)

// Matrix products on the tensor cores whose C is one side of a gated linear unit.
//
//   C = A B + A2 B2 (+ bias), y = act(gate) C                              fwd: the layer `up`
//   d = A B + A2 B2, c = d act(gate), y = d up act'(gate)                  bwd: the layer `down`
//
// Main loop and low-rank steps are tensor_gemm.cu's, in its large tile of 128 x 128 x 32, two
// blocks on a multiprocessor; shared memory 48 KB, of which 34 hold the tile of C in the end. What
// is saved beside glu_fwd and glu_bwd: forward one of three passes over [M, N], backward two of
// five. Bound by the tensor cores; the epilogue by memory: 6 bytes a number forward, 8 backward.
// Smaller products, and those whose K is split, go through the unit in a launch of its own.
#include "gated_epilogue.cuh"
#include "tensor_loop.cuh"

template <typename T, bool B_TRANSPOSED, bool BACKWARD>
LN_DEVICE void gated_gemm(const TensorGemmArguments& g, const GatedArguments& u) {
  typedef TensorProduct<LargeTile, T, false, B_TRANSPOSED> Product;
  Product::run(g, g.M, Product::view(g.a, g.a_stride, g.M, g.K, false),
               Product::view(g.b, g.b_stride, g.K, g.N, B_TRANSPOSED), TilePlace(),
               GatedEpilogue<LargeTile, T, BACKWARD>{g, u});
}

LN_INSTANCES_16_BIT((LargeTile::kThreads, LargeTile::kBlocks), gated_gemm_fwd,
                    (TensorGemmArguments g, GatedArguments u), (gated_gemm<T, true, false>(g, u)))
LN_INSTANCES_16_BIT((LargeTile::kThreads, LargeTile::kBlocks), gated_gemm_bwd,
                    (TensorGemmArguments g, GatedArguments u), (gated_gemm<T, false, true>(g, u)))

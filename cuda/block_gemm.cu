// Matrix product whose right side is a frozen matrix in blocks of 4 to 8 bits.
//
//   C [M, N] = scale (A W^T + A2 B2) (+ bias) (+ C),  W [N, K] in blocks      (nt: forward)
//   C [M, N] = scale (A W + A2 B2) (+ C),             W [K, N] in blocks      (nn: backward to x)
//
// Tiles, main loop, low-rank steps and splits are those of tensor_gemm.cu. A tile of W is read as
// bits into registers before the products of a stage and stored as numbers behind them
// (blocks.cuh), so memory is read once and 4.1 to 8.5 bits a number. The format is a branch that
// all threads take alike, not an instance. Shared memory: the tile's and 2 KB for NF4's 16 values,
// one copy for each lane, so that looking one up meets no conflict. FLOPs: 2 M N (K + R); bound by
// the tensor cores from about 256 rows on, below by taking blocks apart: about 6 instructions a
// number of W for each 128 (64) rows.
#include "block_gemm.h"
#include "tensor_loop.cuh"

template <typename Tile, typename T, bool B_TRANSPOSED>
LN_DEVICE void block_gemm(const TensorGemmArguments& g) {
  typedef TensorProduct<Tile, T, false, B_TRANSPOSED> Product;
  LN_DYNAMIC_SHARED(char, shared);
  float* code = reinterpret_cast<float*>(shared + Tile::kTileBytes);
  const u8* w = static_cast<const u8*>(g.b);
  if (g.b_format == kNf4) {
    const Nf4Header* header = reinterpret_cast<const Nf4Header*>(w);
    for (int i = int(threadIdx.x); i < 16 * 32; i += Tile::kThreads) code[i] = header->code[i / 32];
    __syncthreads();
  }
  const CodedBlocks blocks{{w, B_TRANSPOSED ? g.N : g.K, B_TRANSPOSED ? g.K : g.N, g.b_format},
                           code + threadIdx.x % 32,
                           32};
  const i64 rows = rows_of(g);
  Product::run(g, rows, Product::view(g.a, g.a_stride, rows, g.K, false), blocks);
}

#define LN_BLOCK_GEMM(name, Tile, b_transposed)                                       \
  LN_INSTANCES_16_BIT((Tile::kThreads, Tile::kBlocks), name, (TensorGemmArguments g), \
                      block_gemm<Tile, T, b_transposed>(g))
LN_BLOCK_GEMM(block_gemm_nt_large, LargeBlockTile, true)
LN_BLOCK_GEMM(block_gemm_nt_small, SmallBlockTile, true)
LN_BLOCK_GEMM(block_gemm_nn_large, LargeBlockTile, false)
LN_BLOCK_GEMM(block_gemm_nn_small, SmallBlockTile, false)

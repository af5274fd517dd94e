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
//
// For many rows, where every tile of rows would take the same blocks apart again, dequantize_panel
// writes as many columns of op(B) as fit a panel (cuda/driver.h) to memory, where they stay in L2,
// and tensor_gemm.cu or hopper.cu multiplies them. Bytes: 0.6 to 1.1 read and 2 written a number.
#include "block_gemm.cuh"
#include "block_gemm.h"
#include "tensor_loop.cuh"

template <typename T>
LN_DEVICE void dequantize_panel(const PanelArguments& p, T* to) {
  LN_DYNAMIC_SHARED(float, code);
  const CodedBlocks from = with_values<PanelTile16::kThreads>(
      {static_cast<const u8*>(p.from), p.all_rows, p.all_columns, p.format}, code);
  const i64 at = global_thread() * PanelTile16::kNumbers;
  if (at >= p.rows * p.columns) return;
  const i64 row = p.row0 + at / p.columns, column = p.column0 + at % p.columns;
  const i64 source = row * p.all_columns + column;
  BlockGroup bits{};
  float x[16];
  bits.load(from.blocks, source);
  bits.numbers(x, from, source);
#pragma unroll
  for (int half = 0; half < 2; half++) {
    Chunk chunk;
#pragma unroll
    for (int i = 0; i < 4; i++)
      chunk.words[i] = pack<T>(x[half * 8 + 2 * i], x[half * 8 + 2 * i + 1]);
    reinterpret_cast<Chunk*>(to + at)[half] = chunk;
  }
}

template <typename Tile, typename T, bool B_TRANSPOSED>
LN_DEVICE void block_gemm(const TensorGemmArguments& g) {
  typedef TensorProduct<Tile, T, false, B_TRANSPOSED> Product;
  LN_DYNAMIC_SHARED(char, shared);
  const CodedBlocks blocks = with_values<Tile::kThreads>(
      {static_cast<const u8*>(g.b), B_TRANSPOSED ? g.N : g.K, B_TRANSPOSED ? g.K : g.N, g.b_format},
      reinterpret_cast<float*>(shared + Tile::kTileBytes));
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
LN_INSTANCES_16_BIT((PanelTile16::kThreads), dequantize_panel, (PanelArguments p, T* to),
                    dequantize_panel(p, to))

// Matrix product on the tensor cores, with the low-rank term as its last K steps.
//
//   C [M, N] = scale (A B + A2 B2) (+ bias) (+ C)                 Hu et al. 2021, section 4.1
//
// Forward of lora_linear: A = x, B = W0^T (nt), A2 = s x A^T, B2 = lora_B^T.
// Backward to x:          A = dy, B = W0 (nn), A2 = s dy B, B2 = lora_A.
// dA, dB:                 A = dyb^T or dy^T (tn), B = x or xa; K is the batch's rows.
// dW of a trained head:   A = dz^T (tn), B = h; K is the labelled rows, which the card counts.
//
// Tile: 128 x 128 x 32 with 8 warps of 64 x 32; 64 x 64 with 4 of 32 x 32; 128 x 32 and 32 x 128
// for the products with a rank on one side. Three stages of cp.async, 16 bytes a thread, zeros at
// ragged edges; ldmatrix from swizzled rows. Shared memory: 48, 24 or 30 KB. FLOPs: 2 M N (K + R);
// bytes at least 2 (M K + N K + M N). Bound by the tensor cores from about K = 1024 on, below that
// and with a rank on one side by bytes. Where tiles are too few for a card, K is split over
// gridDim.z, a number fixed by the shape, and add_splits adds the sums in order: results are
// bit-equal always.
#include "tensor_loop.cuh"

template <typename Tile, typename T, bool A_TRANSPOSED, bool B_TRANSPOSED>
LN_DEVICE void tensor_gemm(const TensorGemmArguments& g, const TilePlace& place = TilePlace()) {
  typedef TensorProduct<Tile, T, A_TRANSPOSED, B_TRANSPOSED> Product;
  const i64 rows = rows_of(g), depth = A_TRANSPOSED ? depth_of(g) : g.K;
  if (A_TRANSPOSED && depth <= 0 && g.accumulate && !g.partial) return;  // nothing to add
  Product::run(g, rows,
               Product::view(g.a, g.a_stride, A_TRANSPOSED ? g.M : rows, depth, A_TRANSPOSED),
               Product::view(g.b, g.b_stride, depth, g.N, B_TRANSPOSED), place);
}

template <typename T>
LN_DEVICE void tensor_gemm_pair(const TensorGemmPair& p) {
  const u32 blocks = p.first_tiles * p.first_splits, id = blockIdx.x;
  if (id < blocks) {
    const TilePlace place(id % p.first_tiles, id / p.first_tiles, p.first_splits);
    tensor_gemm<TallTile, T, false, false>(p.first, place);
  } else {
    const u32 other = id - blocks;
    const TilePlace place(other % p.second_tiles, other / p.second_tiles, p.second_splits);
    tensor_gemm<TallTile, T, true, false>(p.second, place);
  }
}

// The splits' sums of an element.
LN_DEVICE float sum_of_splits(const TensorGemmArguments& g, i64 splits, i64 i) {
  float sum = 0;
  for (i64 z = 0; z < splits; z++) sum += g.partial[z * g.M * g.N + i];
  return sum;
}

template <typename T>
LN_DEVICE void add_splits(const TensorGemmArguments& g, i64 splits, i64 i) {
  i64 m = i / g.N, rows = rows_of(g);
  if (i >= g.M * g.N || m >= rows) return;
  write_one<T>(g, sum_of_splits(g, splits, i), m, i % g.N);
}

template <typename T>
LN_DEVICE void add_split_pair(const TensorGemmPair& p) {
  const i64 i = global_thread(), before = p.first_splits > 1 ? p.first.M * p.first.N : 0;
  if (i < before)
    add_splits<T>(p.first, p.first_splits, i);
  else if (p.second_splits > 1)
    add_splits<T>(p.second, p.second_splits, i - before);
}

#define LN_TENSOR_GEMM(name, Tile, a_transposed, b_transposed)                        \
  LN_INSTANCES_16_BIT((Tile::kThreads, Tile::kBlocks), name, (TensorGemmArguments g), \
                      tensor_gemm<Tile, T, a_transposed, b_transposed>(g))
LN_TENSOR_GEMM(tensor_gemm_nt_large, LargeTile, false, true)
LN_TENSOR_GEMM(tensor_gemm_nt_small, SmallTile, false, true)
LN_TENSOR_GEMM(tensor_gemm_nt_tall, TallTile, false, true)
LN_TENSOR_GEMM(tensor_gemm_nn_large, LargeTile, false, false)
LN_TENSOR_GEMM(tensor_gemm_nn_small, SmallTile, false, false)
LN_TENSOR_GEMM(tensor_gemm_nn_tall, TallTile, false, false)
LN_TENSOR_GEMM(tensor_gemm_tn_small, SmallTile, true, false)
LN_TENSOR_GEMM(tensor_gemm_tn_tall, TallTile, true, false)
LN_TENSOR_GEMM(tensor_gemm_tn_wide, WideTile, true, false)
LN_INSTANCES_16_BIT((TallTile::kThreads, TallTile::kBlocks), tensor_gemm_pair, (TensorGemmPair p),
                    tensor_gemm_pair<T>(p))
LN_INSTANCES_16_BIT((256), add_split_pair, (TensorGemmPair p), add_split_pair<T>(p))
LN_INSTANCES_16_BIT((256), add_splits, (TensorGemmArguments g, i64 splits),
                    add_splits<T>(g, splits, global_thread()))

extern "C" __global__ void __launch_bounds__(256)
    add_splits_apart(const TensorGemmArguments g, i64 splits, const RowParts parts) {
  const i64 i = global_thread();
  i64 m = i / g.N;
  if (m >= g.M) return;
  const float sum = sum_of_splits(g, splits, i);
#pragma unroll
  for (int p = 0; p < RowParts::kMost; p++) {
    if (m >= 0 && m < parts.rows[p]) {
      float* to = parts.c[p] + m * g.N + i % g.N;
      *to = finish(g, sum, i % g.N, to);
    }
    m -= parts.room[p];
  }
}
LN_KERNEL(add_splits_apart)

// The main loop of products on the tensor cores, whatever their operands are read from. See
// tensor_gemm.cu and tensor_conv.cu for what is multiplied.
#pragma once
#include "epilogue.cuh"
#include "gpu.cuh"

// Rows of C that are wanted.
LN_DEVICE i64 rows_of(const TensorGemmArguments& g) {
  if (!g.rows_left) return g.M;
  i64 left = i64(*g.rows_left) - g.row_offset;
  return left < g.M ? left : g.M;
}

// How much of K is wanted.
LN_DEVICE i64 depth_of(const TensorGemmArguments& g) {
  if (!g.depth_left) return g.K;
  i64 left = i64(*g.depth_left) - g.row_offset;
  return left < g.K ? left : g.K;
}

// The tile of C that a block makes. Neighbours make a column of kGroup tiles, then the next: blocks
// that run at once read few rows of A and few columns of B, which stay in L2.
struct TilePlace {
  static constexpr u32 kGroup = 8;
  u32 row, column, split = blockIdx.z, splits = gridDim.z;

  LN_DEVICE TilePlace() {
    const u32 id = blockIdx.y * gridDim.x + blockIdx.x, whole = kGroup * gridDim.x;
    const u32 first = id / whole * kGroup, left = gridDim.y - first, in = id % whole;
    const u32 rows = left < kGroup ? left : kGroup;
    row = first + in % rows;
    column = in / rows;
  }
  // A tile of a single column, where a launch is not one product's.
  LN_DEVICE TilePlace(u32 row_, u32 split_, u32 splits_)
      : row(row_), column(0), split(split_), splits(splits_) {}
};

template <typename Tile, typename T, bool A_TRANSPOSED, bool B_TRANSPOSED>
struct TensorProduct {
  static constexpr int kWarpsAcross = Tile::kColumns / Tile::kWarpColumns;
  static constexpr int kMTiles = Tile::kWarpRows / 16, kNTiles = Tile::kWarpColumns / 8;
  typedef SharedTile<T, A_TRANSPOSED ? Tile::kDepth : Tile::kRows,
                     A_TRANSPOSED ? Tile::kRows : Tile::kDepth>
      TileA;
  typedef SharedTile<T, B_TRANSPOSED ? Tile::kColumns : Tile::kDepth,
                     B_TRANSPOSED ? Tile::kDepth : Tile::kColumns>
      TileB;

  LN_DEVICE static MatrixView<T> view(const void* data, i64 stride, i64 rows, i64 columns,
                                      bool transposed) {
    return {static_cast<const T*>(data), stride, transposed ? columns : rows,
            transposed ? rows : columns};
  }

  // `a` and `b` give the chunks of op(A) and op(B) as they lie in memory, see tile.cuh. Rows of A
  // past `rows` need not be zeros: they are never written. `epilogue` is an Epilogue or another
  // that has `write`.
  template <typename ViewA, typename ViewB, typename AnyEpilogue>
  LN_DEVICE static void run(const TensorGemmArguments& g, i64 rows, const ViewA& a, const ViewB& b,
                            const TilePlace& place, const AnyEpilogue& epilogue) {
    LN_DYNAMIC_SHARED(char, shared);
    const i64 m0 = i64(place.row) * Tile::kRows, n0 = i64(place.column) * Tile::kColumns;
    if (m0 >= rows) return;  // the whole block
    const int warp = int(threadIdx.x) / 32;
    const int wm = warp / kWarpsAcross * Tile::kWarpRows;
    const int wn = warp % kWarpsAcross * Tile::kWarpColumns;
    const int base_steps = int((g.K + Tile::kDepth - 1) / Tile::kDepth);
    const int all_steps = base_steps + int((g.R + Tile::kDepth - 1) / Tile::kDepth);
    const int first = int(i64(all_steps) * place.split / place.splits);
    const int steps = int(i64(all_steps) * (place.split + 1) / place.splits) - first;
    const MatrixView<T> low_a = view(g.low_a, g.low_a_stride, rows, g.R, A_TRANSPOSED);
    const MatrixView<T> low_b = view(g.low_b, g.low_b_stride, g.R, g.N, B_TRANSPOSED);
    auto stage = [&](int step) {
      return shared + step % Tile::kStages * (TileA::kBytes + TileB::kBytes);
    };
    auto fetch = [&](int step) {
      if (step < steps) {
        int past = first + step - base_steps;
        bool low = past >= 0;
        i64 k = i64(low ? past : first + step) * Tile::kDepth;
        char* to = stage(step);
        i64 row_a = A_TRANSPOSED ? k : m0, column_a = A_TRANSPOSED ? m0 : k;
        i64 row_b = B_TRANSPOSED ? n0 : k, column_b = B_TRANSPOSED ? k : n0;
        if (low) {
          TileA::template fetch<Tile::kThreads>(to, low_a, row_a, column_a);
          TileB::template fetch<Tile::kThreads>(to + TileA::kBytes, low_b, row_b, column_b);
        } else {
          TileA::template fetch<Tile::kThreads>(to, a, row_a, column_a);
          TileB::template fetch<Tile::kThreads>(to + TileA::kBytes, b, row_b, column_b);
        }
      }
      copy_async_commit();  // also an empty group, so that waits count alike at the end
    };
    float sum[kMTiles][kNTiles][4] = {};
    for (int step = 0; step < Tile::kStages - 1; step++) fetch(step);
    for (int step = 0; step < steps; step++) {
      copy_async_wait<Tile::kStages - 2>();
      __syncthreads();  // this step has landed for all; the stage fetched next has been read by all
      fetch(step + Tile::kStages - 1);
      const char* tile_a = stage(step);
      const char* tile_b = tile_a + TileA::kBytes;
#pragma unroll
      for (int k = 0; k < Tile::kDepth; k += 16) {
        u32 fragments_a[kMTiles][4], fragments_b[kNTiles / 2][4];
        const void *rows_a[kMTiles], *rows_b[kNTiles / 2];
#pragma unroll
        for (int i = 0; i < kMTiles; i++)
          rows_a[i] = A_TRANSPOSED ? TileA::left_transposed(tile_a, wm + i * 16, k)
                                   : TileA::left(tile_a, wm + i * 16, k);
#pragma unroll
        for (int j = 0; j < kNTiles / 2; j++)
          rows_b[j] = B_TRANSPOSED ? TileB::right(tile_b, k, wn + j * 16)
                                   : TileB::right_transposed(tile_b, k, wn + j * 16);
        load_matrices<A_TRANSPOSED>(fragments_a, rows_a);
        load_matrices<!B_TRANSPOSED>(fragments_b, rows_b);
        multiply_tiles<T>(sum, fragments_a,
                          reinterpret_cast<const u32(&)[kNTiles][2]>(fragments_b));
      }
    }
    copy_async_wait<0>();
    epilogue.write(sum, m0 + wm, n0 + wn, rows, place.split);
  }

  template <typename ViewA, typename ViewB>
  LN_DEVICE static void run(const TensorGemmArguments& g, i64 rows, const ViewA& a, const ViewB& b,
                            const TilePlace& place = TilePlace()) {
    run(g, rows, a, b, place, Epilogue<Tile, T>{g});
  }
};

// The main loop of products on Hopper's tensor cores: the twin of tensor_loop.cuh for warpgroups,
// with the same views, low-rank steps, splits and epilogue.
#pragma once
#include "tensor_loop.cuh"
#include "wgmma.cuh"

#ifdef LN_WARPGROUPS

// A tile of B whose rows run along N: panels of 64 columns, as the tensor cores want them.
template <typename T, int DEPTH, int COLUMNS>
struct PanelTile {
  typedef SharedTile<T, DEPTH, 64> Panel;
  static constexpr int kBytes = DEPTH * COLUMNS * 2;

  template <int THREADS, typename View>
  LN_DEVICE static void fetch(char* to, const View& from, i64 row0, i64 column0) {
#pragma unroll
    for (int p = 0; p < COLUMNS / 64; p++)
      Panel::template fetch<THREADS>(to + p * Panel::kBytes, from, row0, column0 + p * 64);
  }
};

template <bool B_TRANSPOSED, typename T, int COLUMNS, int DEPTH>
struct WarpgroupOperand {
  typedef SharedTile<T, COLUMNS, DEPTH> Tile;
  static constexpr int kPanelBytes = 0, kStepBytes = 32;  // 16 numbers of K further on
};
template <typename T, int COLUMNS, int DEPTH>
struct WarpgroupOperand<false, T, COLUMNS, DEPTH> {
  typedef PanelTile<T, DEPTH, COLUMNS> Tile;
  static constexpr int kPanelBytes = Tile::Panel::kBytes, kStepBytes = 16 * 128;
};

template <typename Tile, typename T, bool B_TRANSPOSED>
struct WarpgroupProduct {
  typedef SharedTile<T, Tile::kRows, Tile::kDepth> TileA;
  typedef WarpgroupOperand<B_TRANSPOSED, T, Tile::kColumns, Tile::kDepth> B;
  typedef typename B::Tile TileB;
  static constexpr int kStageBytes = TileA::kBytes + TileB::kBytes;

  LN_DEVICE static MatrixView<T> view(const void* data, i64 stride, i64 rows, i64 columns,
                                      bool transposed) {
    return {static_cast<const T*>(data), stride, transposed ? columns : rows,
            transposed ? rows : columns};
  }

  // As TensorProduct::run.
  template <typename ViewA, typename ViewB>
  LN_DEVICE static void run(const TensorGemmArguments& g, i64 rows, const ViewA& a,
                            const ViewB& b) {
    LN_DYNAMIC_SHARED(char, unaligned);
    char* shared = unaligned + (1024 - shared_address(unaligned) % 1024) % 1024;
    const TilePlace place;
    const i64 m0 = i64(place.row) * Tile::kRows, n0 = i64(place.column) * Tile::kColumns;
    if (m0 >= rows) return;  // the whole block
    const int warp = int(threadIdx.x) / 32;
    const int base_steps = int((g.K + Tile::kDepth - 1) / Tile::kDepth);
    const int all_steps = base_steps + int((g.R + Tile::kDepth - 1) / Tile::kDepth);
    const int first = int(i64(all_steps) * blockIdx.z / gridDim.z);
    const int steps = int(i64(all_steps) * (blockIdx.z + 1) / gridDim.z) - first;
    const MatrixView<T> low_a = view(g.low_a, g.low_a_stride, rows, g.R, false);
    const MatrixView<T> low_b = view(g.low_b, g.low_b_stride, g.R, g.N, B_TRANSPOSED);
    auto stage = [&](int step) { return shared + step % Tile::kStages * kStageBytes; };
    auto fetch = [&](int step) {
      if (step < steps) {
        int past = first + step - base_steps;
        i64 k = i64(past >= 0 ? past : first + step) * Tile::kDepth;
        i64 row_b = B_TRANSPOSED ? n0 : k, column_b = B_TRANSPOSED ? k : n0;
        char* to = stage(step);
        if (past >= 0) {
          TileA::template fetch<Tile::kThreads>(to, low_a, m0, k);
          TileB::template fetch<Tile::kThreads>(to + TileA::kBytes, low_b, row_b, column_b);
        } else {
          TileA::template fetch<Tile::kThreads>(to, a, m0, k);
          TileB::template fetch<Tile::kThreads>(to + TileA::kBytes, b, row_b, column_b);
        }
      }
      copy_async_commit();  // also an empty group, so that waits count alike at the end
    };

    // Two stages are not copied into: the one that is multiplied, and the one before, which the
    // other warpgroup may still multiply.
    float sum[1][Tile::kColumns / 8][4] = {};
    for (int step = 0; step < Tile::kStages - 2; step++) fetch(step);
    for (int step = 0; step < steps; step++) {
      copy_async_wait<Tile::kStages - 3>();
      fence_for_tensor_cores();
      __syncthreads();
      const char* tile_a = stage(step) + warp / 4 * (64 * Tile::kDepth * 2);
      const char* tile_b = stage(step) + TileA::kBytes;
      warpgroup_fence();
#pragma unroll
      for (int k = 0; k < Tile::kDepth / 16; k++)
        warpgroup_multiply<T, !B_TRANSPOSED>(
            sum[0], matrix_descriptor(tile_a + k * 32, 0),
            matrix_descriptor(tile_b + k * B::kStepBytes, B::kPanelBytes));
      warpgroup_commit();
      fetch(step + Tile::kStages - 2);
      warpgroup_wait<1>();
    }
    warpgroup_wait<0>();
    copy_async_wait<0>();
    Epilogue<T, 1, Tile::kColumns / 8>::write(g, sum, m0 + warp * 16, n0, rows);
  }
};
#endif

// The main loop of products on Hopper's tensor cores: the twin of tensor_loop.cuh for warpgroups,
// with the same views, low-rank steps, splits and epilogue.
#pragma once
#include "bulk_copy.cuh"
#include "tensor_loop.cuh"

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

  static_assert(kStageBytes == Tile::kStageBytes, "as the launcher counts them");

  // Which K steps this block sums: those of A and B, then the low-rank ones.
  struct Steps {
    int base, first, count;

    LN_DEVICE explicit Steps(const TensorGemmArguments& g) {
      base = int((g.K + Tile::kDepth - 1) / Tile::kDepth);
      int all = base + int((g.R + Tile::kDepth - 1) / Tile::kDepth);
      first = int(i64(all) * blockIdx.z / gridDim.z);
      count = int(i64(all) * (blockIdx.z + 1) / gridDim.z) - first;
    }
  };

  LN_DEVICE static char* aligned(char* shared) {
    return shared + (1024 - shared_address(shared) % 1024) % 1024;
  }

  // Begins the products of this warpgroup's rows of a stage.
  LN_DEVICE static void multiply(float (&sum)[Tile::kColumns / 8][4], const char* stage) {
    const char* tile_a = stage + threadIdx.x / 128 * (64 * Tile::kDepth * 2);
    const char* tile_b = stage + TileA::kBytes;
    warpgroup_fence();
#pragma unroll
    for (int k = 0; k < Tile::kDepth / 16; k++)
      warpgroup_multiply<T, !B_TRANSPOSED>(
          sum, matrix_descriptor(tile_a + k * 32, 0),
          matrix_descriptor(tile_b + k * B::kStepBytes, B::kPanelBytes));
    warpgroup_commit();
  }

  // The product of two matrices, by copies of whole tiles that one thread begins.
  LN_DEVICE static void run_mapped(const MappedGemmArguments& m, i64 rows) {
    const TensorGemmArguments& g = m.g;
    LN_DYNAMIC_SHARED(char, unaligned);
    char* shared = aligned(unaligned);
    CopyBarrier* landed =
        reinterpret_cast<CopyBarrier*>(shared + Tile::kStages * Tile::kStageBytes);
    const TilePlace place;
    const i32 m0 = i32(place.row) * Tile::kRows, n0 = i32(place.column) * Tile::kColumns;
    if (m0 >= rows) return;  // the whole block
    const Steps steps(g);
    auto stage = [&](int step) { return shared + step % Tile::kStages * kStageBytes; };
    auto fetch = [&](int step) {
      if (threadIdx.x != 0 || step >= steps.count) return;
      const int past = steps.first + step - steps.base;
      const i32 k = (past >= 0 ? past : steps.first + step) * Tile::kDepth;
      char* to = stage(step);
      CopyBarrier* barrier = landed + step % Tile::kStages;
      barrier_expect(barrier, kStageBytes);
      copy_box(to, past >= 0 ? m.low_a : m.a, m0, k, barrier);
      const TensorMap& b = past >= 0 ? m.low_b : m.b;
      if (B_TRANSPOSED)
        copy_box(to + TileA::kBytes, b, n0, k, barrier);
      else
        for (int p = 0; p < Tile::kColumns / 64; p++)
          copy_box(to + TileA::kBytes + p * B::kPanelBytes, b, k, n0 + p * 64, barrier);
    };

    if (threadIdx.x < Tile::kStages) barrier_begin(landed + threadIdx.x);
    __syncthreads();
    for (int step = 0; step < Tile::kStages - 1; step++) fetch(step);
    __syncthreads();
    float sum[1][Tile::kColumns / 8][4] = {};
    for (int step = 0; step < steps.count; step++) {
      barrier_wait(landed + step % Tile::kStages, step / Tile::kStages % 2);
      multiply(sum[0], stage(step));
      warpgroup_wait<1>();
      __syncthreads();  // nobody multiplies the stage before any more
      fetch(step + Tile::kStages - 1);
    }
    warpgroup_wait<0>();
    Epilogue<T, 1, Tile::kColumns / 8>::write(g, sum, m0 + threadIdx.x / 32 * 16, n0, rows,
                                              place.split);
  }

  // As TensorProduct::run: operands whose chunks lie anywhere, by cp.async.
  template <typename ViewA, typename ViewB>
  LN_DEVICE static void run(const TensorGemmArguments& g, i64 rows, const ViewA& a,
                            const ViewB& b) {
    LN_DYNAMIC_SHARED(char, unaligned);
    char* shared = aligned(unaligned);
    const TilePlace place;
    const i64 m0 = i64(place.row) * Tile::kRows, n0 = i64(place.column) * Tile::kColumns;
    if (m0 >= rows) return;  // the whole block
    const Steps steps(g);    // a convolution has no low-rank ones
    auto stage = [&](int step) { return shared + step % Tile::kStages * kStageBytes; };
    auto fetch = [&](int step) {
      if (step < steps.count) {
        i64 k = i64(steps.first + step) * Tile::kDepth;
        TileA::template fetch<Tile::kThreads>(stage(step), a, m0, k);
        TileB::template fetch<Tile::kThreads>(stage(step) + TileA::kBytes, b, B_TRANSPOSED ? n0 : k,
                                              B_TRANSPOSED ? k : n0);
      }
      copy_async_commit();  // also an empty group, so that waits count alike at the end
    };

    // Two stages are not copied into: the one that is multiplied, and the one before, which the
    // other warpgroup may still multiply.
    float sum[1][Tile::kColumns / 8][4] = {};
    for (int step = 0; step < Tile::kStages - 2; step++) fetch(step);
    for (int step = 0; step < steps.count; step++) {
      copy_async_wait<Tile::kStages - 3>();
      fence_for_tensor_cores();
      __syncthreads();
      multiply(sum[0], stage(step));
      fetch(step + Tile::kStages - 2);
      warpgroup_wait<1>();
    }
    warpgroup_wait<0>();
    copy_async_wait<0>();
    Epilogue<T, 1, Tile::kColumns / 8>::write(g, sum, m0 + threadIdx.x / 32 * 16, n0, rows,
                                              place.split);
  }
};
#endif

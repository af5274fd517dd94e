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

// Operands by tensor maps, as a product asks for them: fetch() begins the copies of K step `step`
// of the tiles of A at to_a and B at to_b, by one thread. Of two matrices:
template <typename Tile, bool B_TRANSPOSED>
struct MatrixOperands {
  const MappedGemmArguments& m;
  i32 m0, n0;
  int base;  // K steps before the low-rank ones

  LN_DEVICE MatrixOperands(const MappedGemmArguments& arguments, i32 row, i32 column)
      : m(arguments), m0(row), n0(column), base(int((m.g.K + Tile::kDepth - 1) / Tile::kDepth)) {}

  LN_DEVICE void fetch(int step, char* to_a, char* to_b, CopyBarrier* barrier) const {
    const bool low = step >= base;
    const i32 k = (low ? step - base : step) * Tile::kDepth;
    copy_box(to_a, low ? m.low_a : m.a, m0, k, barrier);
    const TensorMap& b = low ? m.low_b : m.b;
    if (B_TRANSPOSED)
      copy_box(to_b, b, n0, k, barrier);
    else
      for (int p = 0; p < Tile::kColumns / 64; p++)
        copy_box(to_b + p * (Tile::kDepth * 128), b, k, n0 + p * 64, barrier);
  }
};

// Of a convolution: patches under a tap, and the tap's rows of w; backward, of dy and the tap that
// lies opposite.
template <typename Tile, bool BACKWARD>
struct ConvOperands {
  const MappedConvArguments& c;
  i32 n0, image, y, x;

  LN_DEVICE ConvOperands(const MappedConvArguments& arguments, i32 row, i32 column)
      : c(arguments), n0(column) {
    const i32 line = row / c.width;
    image = line / c.height;
    x = (row - line * c.width) * c.stride - c.pad;
    y = (line - image * c.height) * c.stride - c.pad;
  }

  LN_DEVICE void fetch(int step, char* to_a, char* to_b, CopyBarrier* barrier) const {
    const i32 steps = c.channels / Tile::kDepth, tap = step / steps;
    const i32 channel = (step - tap * steps) * Tile::kDepth, dy = tap / c.kernel;
    copy_patches(to_a, c.patches, image, y, x, channel, dy, tap - dy * c.kernel, barrier);
    if (!BACKWARD)
      copy_box(to_b, c.w, n0, tap, channel, barrier);
    else
      for (int p = 0; p < Tile::kColumns / 64; p++)
        copy_box(to_b + p * (Tile::kDepth * 128), c.w, channel, c.kernel * c.kernel - 1 - tap,
                 n0 + p * 64, barrier);
  }
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
    int first, count;

    LN_DEVICE explicit Steps(const TensorGemmArguments& g) {
      int all =
          int((g.K + Tile::kDepth - 1) / Tile::kDepth + (g.R + Tile::kDepth - 1) / Tile::kDepth);
      first = int(i64(all) * blockIdx.z / gridDim.z);
      count = int(i64(all) * (blockIdx.z + 1) / gridDim.z) - first;
    }
  };

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

  // The product by copies of whole tiles, which one thread begins.
  template <typename Operands, typename Arguments, typename AnyEpilogue>
  LN_DEVICE static void run_mapped(const Arguments& arguments, i64 rows,
                                   const AnyEpilogue& epilogue) {
    const TensorGemmArguments& g = arguments.g;
    LN_DYNAMIC_SHARED(char, unaligned);
    char* shared = aligned_tiles(unaligned);
    CopyBarrier* landed =
        reinterpret_cast<CopyBarrier*>(shared + Tile::kStages * Tile::kStageBytes);
    const TilePlace place;
    const i32 m0 = i32(place.row) * Tile::kRows, n0 = i32(place.column) * Tile::kColumns;
    if (m0 >= rows) return;  // the whole block
    const Steps steps(g);
    const Operands operands(arguments, m0, n0);
    auto stage = [&](int step) { return shared + step % Tile::kStages * kStageBytes; };
    auto fetch = [&](int step) {
      if (threadIdx.x != 0 || step >= steps.count) return;
      CopyBarrier* barrier = landed + step % Tile::kStages;
      barrier_expect(barrier, kStageBytes);
      operands.fetch(steps.first + step, stage(step), stage(step) + TileA::kBytes, barrier);
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
    epilogue.write(sum, m0 + threadIdx.x / 32 * 16, n0, rows, place.split);
  }

  template <typename Operands, typename Arguments>
  LN_DEVICE static void run_mapped(const Arguments& arguments, i64 rows) {
    run_mapped<Operands>(arguments, rows, Epilogue<Tile, T>{arguments.g});
  }

  // As TensorProduct::run: operands whose chunks lie anywhere, by cp.async.
  template <typename ViewA, typename ViewB, typename AnyEpilogue>
  LN_DEVICE static void run(const TensorGemmArguments& g, i64 rows, const ViewA& a, const ViewB& b,
                            const AnyEpilogue& epilogue) {
    LN_DYNAMIC_SHARED(char, unaligned);
    char* shared = aligned_tiles(unaligned);
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
    epilogue.write(sum, m0 + threadIdx.x / 32 * 16, n0, rows, place.split);
  }

  template <typename ViewA, typename ViewB>
  LN_DEVICE static void run(const TensorGemmArguments& g, i64 rows, const ViewA& a,
                            const ViewB& b) {
    run(g, rows, a, b, Epilogue<Tile, T>{g});
  }
};
#endif

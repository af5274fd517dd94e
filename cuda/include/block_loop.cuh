// The main loop of products whose right side is a frozen matrix in blocks.
//
// Steps are 64 deep, so that a thread has 32 neighbours of W: a block of most formats, whose scales
// are read and made once, and a row of 64 numbers in 4 bits is a whole sector. A has two stages
// that cp.async fills. The tile of W has one: its bits wait in registers for the products of the
// step before, and are made numbers between two barriers. So the large tile takes 48 KB, and two
// blocks fit the 100 KB of a GeForce's multiprocessor: one takes bits apart while the other's
// products run.
#pragma once
#include "block_gemm.h"
#include "block_tile.cuh"
#include "tensor_loop.cuh"

// A part of K and of R, whose sum a split makes: splits begin at multiples of 32.
struct SplitRange {
  u32 k, k_end, r, r_end;

  LN_DEVICE SplitRange(i64 K, i64 R, const TilePlace& place) {
    constexpr u32 kEach = 32;
    const u32 base = u32(K + kEach - 1) / kEach, all = base + u32(R + kEach - 1) / kEach;
    const u32 first = u32(u64(all) * place.split / place.splits);
    const u32 end = u32(u64(all) * (place.split + 1) / place.splits);
    k = (first < base ? first : base) * kEach;
    k_end = end < base ? end * kEach : u32(K);
    r = (first > base ? first - base : 0) * kEach;
    r_end = end < all ? (end > base ? end - base : 0) * kEach : u32(R);
  }
};

template <typename Tile, typename Format, typename T, bool B_TRANSPOSED>
struct BlockProduct {
  static constexpr int kDepth = Tile::kDepth, kThreads = Tile::kThreads;
  static constexpr int kWarpsAcross = Tile::kColumns / Tile::kWarpColumns;
  static constexpr int kMTiles = Tile::kWarpRows / 16, kNTiles = Tile::kWarpColumns / 8;
  static constexpr int kBRows = B_TRANSPOSED ? Tile::kColumns : kDepth,
                       kBColumns = B_TRANSPOSED ? kDepth : Tile::kColumns;
  typedef SharedTile<T, Tile::kRows, kDepth> TileA;
  typedef SharedTile<T, kBRows, kBColumns> TileB;
  static_assert(Tile::kSharedBytes == 2 * TileA::kBytes + TileB::kBytes, "A twice, W once");

  // Rows of A past `rows` need not be zeros: they are never written.
  LN_DEVICE static void run(const TensorGemmArguments& g, i64 rows, const BlockMatrix<Format>& w,
                            const TilePlace& place = TilePlace()) {
    LN_DYNAMIC_SHARED(char, shared);
    char* tile_b = shared + 2 * TileA::kBytes;
    const i64 m0 = i64(place.row) * Tile::kRows;
    const u32 n0 = place.column * Tile::kColumns;
    if (m0 >= rows) return;  // the whole block
    const u32 warp = threadIdx.x / 32;
    const u32 wm = warp / kWarpsAcross * Tile::kWarpRows;
    const u32 wn = warp % kWarpsAcross * Tile::kWarpColumns;
    const SplitRange range(g.K, g.R, place);
    const int base_steps = int((range.k_end - range.k + kDepth - 1) / kDepth);
    const int steps = base_steps + int(range.r_end - range.r + kDepth - 1) / kDepth;
    const T* a = static_cast<const T*>(g.a) + m0 * g.a_stride;
    const T* low_a = static_cast<const T*>(g.low_a) + m0 * g.low_a_stride;
    const u32 last_m = u32(rows - m0 < Tile::kRows ? rows - m0 : Tile::kRows) - 1;
    BlockTile<Format, T, kBRows, kBColumns, kThreads> bits;

    // Begins to read a step's tiles: A's to where they go, W's into registers. Then W's tile.
    auto begin = [&](int step) {
      const bool low = step >= base_steps;
      const u32 k = low ? range.r + (step - base_steps) * kDepth : range.k + step * kDepth;
      fetch<Tile::kRows, kDepth>(shared + (step & 1) * TileA::kBytes, low ? low_a : a,
                                 u32(low ? g.low_a_stride : g.a_stride), last_m, k,
                                 low ? range.r_end : range.k_end);
      if (!low) bits.load(w, B_TRANSPOSED ? n0 : k, B_TRANSPOSED ? k : n0);
    };
    auto settle = [&](int step) {
      if (step < base_steps) return bits.store(tile_b, w);
      const u32 k = range.r + (step - base_steps) * kDepth;
      const T* b = static_cast<const T*>(g.low_b) + (B_TRANSPOSED ? n0 : k) * g.low_b_stride;
      fetch<kBRows, kBColumns>(tile_b, b, u32(g.low_b_stride),
                               (B_TRANSPOSED ? u32(g.N) - n0 : range.r_end - k) - 1,
                               B_TRANSPOSED ? k : n0, B_TRANSPOSED ? range.r_end : u32(g.N));
    };

    float sum[kMTiles][kNTiles][4] = {};
    for (int step = -1; step < steps; step++) {  // the products of `step`, and the next one's tiles
      const bool more = step + 1 < steps;
      copy_async_wait<0>();
      __syncthreads();  // this step has landed for all; the stage fetched next has been read by all
      if (more) begin(step + 1);
      if (step >= 0) multiply(sum, shared + (step & 1) * TileA::kBytes, tile_b, int(wm), int(wn));
      __syncthreads();  // the tile of W has been read by all
      if (more) settle(step + 1);
      copy_async_commit();
    }
    Epilogue<Tile, T>{g}.write(sum, m0 + wm, n0 + wn, rows, place.split);
  }

 private:
  // Columns [column, column + COLUMNS) of ROWS rows from `rows` on, zeros from column `end` on; a
  // row past the `last` is the last. 32 bits of bytes reach from row to row.
  template <int ROWS, int COLUMNS>
  LN_DEVICE static void fetch(char* to, const void* rows, u32 stride, u32 last, u32 column,
                              u32 end) {
    constexpr int kChunks = COLUMNS / 8, kEach = kThreads / kChunks;  // rows at once
    static_assert(kEach % 8 == 0, "rows so far apart are swizzled alike");
    const u32 row = threadIdx.x / kChunks, chunk = threadIdx.x % kChunks;
    const bool inside = column + chunk * 8 < end;
    const T* from = static_cast<const T*>(rows) + (inside ? column + chunk * 8 : 0);
    to += SharedTile<T, ROWS, COLUMNS>::offset(int(row), int(chunk));
#pragma unroll
    for (int e = 0; e < ROWS / kEach; e++) {
      const u32 r = row + e * kEach < last ? row + e * kEach : last;
      copy_async_16(to + e * kEach * COLUMNS * 2,
                    reinterpret_cast<const char*>(from) + r * (stride * 2), inside ? 16 : 0);
    }
  }

  LN_DEVICE static void multiply(float (&sum)[kMTiles][kNTiles][4], const char* tile_a,
                                 const char* tile_b, int wm, int wn) {
#pragma unroll
    for (int k = 0; k < kDepth; k += 16) {
      u32 fragments_a[kMTiles][4], fragments_b[kNTiles / 2][4];
      const void *rows_a[kMTiles], *rows_b[kNTiles / 2];
#pragma unroll
      for (int i = 0; i < kMTiles; i++) rows_a[i] = TileA::left(tile_a, wm + i * 16, k);
#pragma unroll
      for (int j = 0; j < kNTiles / 2; j++)
        rows_b[j] = B_TRANSPOSED ? TileB::right(tile_b, k, wn + j * 16)
                                 : TileB::right_transposed(tile_b, k, wn + j * 16);
      load_matrices<false>(fragments_a, rows_a);
      load_matrices<!B_TRANSPOSED>(fragments_b, rows_b);
      multiply_tiles<T>(sum, fragments_a, reinterpret_cast<const u32(&)[kNTiles][2]>(fragments_b));
    }
  }
};

// How many blocks a multiprocessor should hold: one where a unit's bits would not leave room for
// the sums of two (large tiles of Q4_K, Q5_K and Q6_K).
template <typename Tile, typename Format>
constexpr int kBlocksOf =
    sizeof(typename Format::Bits) >= 48 && Tile::kBlocks == 2 ? 1 : Tile::kBlocks;

template <typename Tile, typename Format, typename T, bool B_TRANSPOSED>
LN_DEVICE void block_gemm(const TensorGemmArguments& g) {
  const BlockMatrix<Format> w(g.b, B_TRANSPOSED ? g.N : g.K, B_TRANSPOSED ? g.K : g.N);
  BlockProduct<Tile, Format, T, B_TRANSPOSED>::run(g, rows_of(g), w);
}

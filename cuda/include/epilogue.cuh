// What becomes of a block's sums, as mma leaves them: tiles of 16 x 8 a warp, of which a lane has
// pairs of neighbours in rows lane / 4 and lane / 4 + 8.
//
// They pass through the stages' shared memory, so that a thread has eight neighbours: it reads and
// writes 16 bytes at a time, and what is done with them is a short loop and not as many copies of
// it as a thread has sums. What 16-bit results are added to comes by cp.async, all of it at once.
#pragma once
#include "eight.cuh"
#include "tensor_gemm.h"
#include "tile.cuh"

// Two neighbours in one access of 8 bytes.
LN_DEVICE void store_pair(char* to, float x, float y) {
#ifdef __CUDACC__
  *reinterpret_cast<float2*>(to) = make_float2(x, y);
#else
  *reinterpret_cast<u64*>(to) = u64(__float_as_uint(y)) << 32 | __float_as_uint(x);
#endif
}

// Calls act(row, eight) of a block's threads for each eight of ROWS rows of its tile.
template <typename Tile, int ROWS, typename Act>
LN_DEVICE void each_eight(const Act& act) {
  constexpr int kEights = Tile::kColumns / 8, kTurns = ROWS * kEights / Tile::kThreads;
  static_assert(kTurns * Tile::kThreads == ROWS * kEights, "threads have as many each");
#pragma unroll 1
  for (int turn = 0; turn < kTurns; turn++) {
    const int i = int(threadIdx.x) + turn * Tile::kThreads;
    act(i / kEights, i % kEights);
  }
}

// A block's sums in shared memory, a HALVES-th of its rows at a time.
template <typename Tile, int HALVES>
struct StagedSums {
  static constexpr int kRows = Tile::kRows / HALVES, kEights = Tile::kColumns / 8;
  static constexpr int kBytes = kRows * Tile::kColumns * 4;

  // Where the eights of a row lie: the pairs of 8 rows, and eights beside each other, in different
  // banks.
  LN_DEVICE static int place(int row, int eight) {
    return row * kEights + (eight ^ (row & (kEights < 8 ? kEights - 1 : 7)));
  }

  // A warp's sums, which begin at (row, column).
  template <int MT, int NT>
  LN_DEVICE static void put(char* tile, const float (&sum)[MT][NT][4], int row, int column) {
    const int lane = int(threadIdx.x % 32);
#pragma unroll
    for (int j = 0; j < NT; j++) {
      char* first = tile + place(row + lane / 4, column / 8 + j) * 32 + lane % 4 * 8;
#pragma unroll
      for (int i = 0; i < MT; i++)
#pragma unroll
        for (int half = 0; half < 2; half++)
          store_pair(first + (i * 16 + half * 8) * Tile::kColumns * 4, sum[i][j][half * 2],
                     sum[i][j][half * 2 + 1]);
    }
  }

  LN_DEVICE static Eight get(const char* tile, int row, int eight) {
    const int at = place(row, eight),
              late = at >> 2 & 1;  // of 8 threads 4 read their end first
    const Chunk one = load_chunk(tile + at * 32 + late * 16),
                other = load_chunk(tile + at * 32 + 16 - late * 16);
    Eight x;
#pragma unroll
    for (int i = 0; i < 4; i++) {
      x[i] = __uint_as_float(late ? other.words[i] : one.words[i]);
      x[4 + i] = __uint_as_float(late ? one.words[i] : other.words[i]);
    }
    return x;
  }
};

// The epilogue of one number, given where it will be written.
template <typename C>
LN_DEVICE float finish(const TensorGemmArguments& g, float sum, i64 n, const C* there) {
  float value = sum * g.scale;
  if (g.bias) value += g.bias[n];
  return g.accumulate ? value + load(*there) : value;
}

template <typename T>
LN_DEVICE void write_one(const TensorGemmArguments& g, float sum, i64 m, i64 n) {
  if (g.c_is_f32) {
    float* to = static_cast<float*>(g.c) + m * g.c_stride + n;
    *to = finish(g, sum, n, to);
  } else {
    T* to = static_cast<T*>(g.c) + m * g.c_stride + n;
    store(to, finish(g, sum, n, to));
  }
}

// Writes C, or a split's sums. The sums of a warp begin at row m0 and column n0 of C, of which
// `rows` rows are wanted. A product takes another such object where its sums go elsewhere; its
// write() is called once by every warp, also where none of the warp's rows or columns lie in C.
template <typename Tile, typename T>
struct Epilogue {
  static constexpr int kTileBytes = Tile::kRows * Tile::kColumns * 2;
  static constexpr int kHalves = 3 * kTileBytes <= Tile::kSharedBytes ? 1 : 2;
  typedef StagedSums<Tile, kHalves> Staged;
  typedef SharedTile<T, Staged::kRows, Tile::kColumns> Before;  // what C was
  static_assert(Staged::kBytes + Before::kBytes <= Tile::kSharedBytes,
                "they take the stages' place");

  const TensorGemmArguments& g;

  template <int MT, int NT>
  LN_DEVICE void write(const float (&sum)[MT][NT][4], i64 m0, i64 n0, i64 rows, i64 split) const {
    const int in = int(m0 % Tile::kRows), column = int(n0 % Tile::kColumns);
    const bool sums = g.partial, wide = sums || g.c_is_f32;
    const i64 stride = sums ? g.N : g.c_stride;
    const void* c = sums ? g.partial + split * g.M * g.N : g.c;
    const bool whole = (g.N | stride) % 8 == 0 && (size_t(c) | size_t(g.bias)) % 16 == 0;
    LN_DYNAMIC_SHARED(char, tile);
    char* before = tile + Staged::kBytes;
    const bool reads = g.accumulate && whole && !wide;
    for (int half = 0; half < kHalves; half++) {
      const i64 row0 = m0 - in + half * Staged::kRows, column0 = n0 - column;
      __syncthreads();  // nobody reads what lies here any more
      if (reads)
        Before::template fetch<Tile::kThreads>(
            before, MatrixView<T>{static_cast<const T*>(c), stride, rows, g.N}, row0, column0);
      copy_async_commit();
      if (in / Staged::kRows == half) Staged::put(tile, sum, in % Staged::kRows, column);
      copy_async_wait<0>();
      __syncthreads();
      each_eight<Tile, Staged::kRows>([&](int row, int eight) {
        const i64 m = row0 + row, n = column0 + eight * 8;
        if (m >= rows || n >= g.N) return;
        Eight x = Staged::get(tile, row, eight);
        const void* there = static_cast<const char*>(c) + (m * stride + n) * (wide ? 4 : 2);
        if (!whole)
          write_some<false>(x, there, n, sums, wide, nullptr);
        else
          write_some<true>(x, there, n, sums, wide, before + Before::offset(row, eight));
      });
    }
  }

  // Eight neighbours, or as many as the row has left; `before`: what their place held, if added to.
  template <bool WHOLE>
  LN_DEVICE void write_some(Eight x, const void* there, i64 n, bool sums, bool wide,
                            const char* before) const {
    const Span<WHOLE> s(0, g.N - n);
    float* to = static_cast<float*>(const_cast<void*>(there));
    T* narrow = static_cast<T*>(const_cast<void*>(there));
    if (!sums) {
      LN_EACH_OF_8 x[i] *= g.scale;
      if (g.bias) x += s.load(g.bias + n);
      if (g.accumulate)
        x += wide ? s.load(to) : WHOLE ? eight_of(load_chunk(before), T()) : s.load(narrow);
    }
    if (wide)
      s.store(to, x);
    else
      s.store(narrow, x);
  }
};

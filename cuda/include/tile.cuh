// A tile of 16-bit numbers in shared memory: swizzled, filled by cp.async, read as mma fragments.
#pragma once
#include "ptx.cuh"

// Where a matrix lies: rows of `stride` elements. Outside [rows, columns] a tile holds zeros.
template <typename T>
struct MatrixView {
  const T* data;
  i64 stride, rows, columns;

  // Where the 8 numbers at (row, column) lie; false outside, then any address.
  LN_DEVICE bool chunk(i64 row, i64 column, const T** there) const {
    bool inside = row < rows && column < columns;
    *there = inside ? data + row * stride + column : data;
    return inside;
  }
};

template <typename T, int ROWS, int COLUMNS>
struct SharedTile {
  static constexpr int kRows = ROWS, kColumns = COLUMNS, kChunks = COLUMNS / 8,
                       kBytes = ROWS * COLUMNS * 2;
  static_assert(kChunks % 4 == 0, "a row is whole groups of four 16-byte chunks");

  // Byte offset of a 16-byte chunk. The XOR spreads the 8 rows of an ldmatrix over all 32 banks: a
  // row of 128 bytes begins at the same bank as the one before, a row of 64 or 192 half-way on.
  LN_DEVICE static int offset(int row, int chunk) {
    return (row * kChunks + (kChunks % 8 == 0 ? chunk ^ (row & 7) : chunk ^ (row >> 1 & 3))) * 16;
  }

  // Starts the copies of rows [row0, row0 + ROWS) and columns [column0, column0 + COLUMNS), by
  // `THREADS` threads. `from` is a MatrixView or another that has `chunk`; its chunks begin at
  // multiples of 16 bytes.
  template <int THREADS, typename View>
  LN_DEVICE static void fetch(char* to, const View& from, i64 row0, i64 column0) {
    // A count of turns that does not depend on the thread: the compiler unrolls it, and works out
    // once what does not change from tile to tile.
    constexpr int kTurns = (ROWS * kChunks + THREADS - 1) / THREADS;
#pragma unroll
    for (int turn = 0; turn < kTurns; turn++) {
      u32 i = threadIdx.x + turn * THREADS;
      if (ROWS * kChunks % THREADS != 0 && i >= ROWS * kChunks) break;
      int row = int(i / kChunks), chunk = int(i % kChunks);
      const T* there;
      bool inside = from.chunk(row0 + row, column0 + chunk * 8, &there);
      copy_async_16(to + offset(row, chunk), there, inside ? 16 : 0);
    }
  }

  // The addresses that a lane gives to ldmatrix, for fragments at (row, column).
  // Left operand, 16 x 16, tile[m][k]; and from tile[k][m], transposed on the way.
  LN_DEVICE static const void* left(const char* tile, int row, int column) {
    int lane = int(threadIdx.x) % 32;
    return tile + offset(row + lane % 16, column / 8 + lane / 16);
  }
  LN_DEVICE static const void* left_transposed(const char* tile, int row, int column) {
    int lane = int(threadIdx.x) % 32;
    return tile + offset(column + lane % 8 + lane / 16 * 8, row / 8 + lane / 8 % 2);
  }
  // Right operand, 16 deep and two tiles of 8 columns, from tile[n][k] (no transposition in
  // ldmatrix: mma wants columns); and from tile[k][n], transposed.
  LN_DEVICE static const void* right(const char* tile, int depth, int column) {
    int lane = int(threadIdx.x) % 32;
    return tile + offset(column + lane % 8 + lane / 16 * 8, depth / 8 + lane / 8 % 2);
  }
  LN_DEVICE static const void* right_transposed(const char* tile, int depth, int column) {
    int lane = int(threadIdx.x) % 32;
    return tile + offset(depth + lane % 16, column / 8 + lane / 16);
  }
};

// A tile of shared memory that is filled with numbers from blocks: load() before the products of a
// step, store() behind them.
#pragma once
#include "blocks.cuh"
#include "tile.cuh"

// A matrix [rows, columns] in blocks, one of `count` that lie as one.
template <typename Format>
struct BlockMatrix {
  Format format;
  u32 rows, across, first;  // across: units of a row; first: the unit that it begins at

  LN_DEVICE BlockMatrix(const void* data, i64 rows_, i64 columns, i64 count = 1, i64 index = 0)
      : format(data, u64(count * rows_ * columns)),
        rows(u32(rows_)),
        across(u32(columns / kUnit)),
        first(u32(index * rows_ * columns / kUnit)) {}
};

// A thread for a unit.
template <typename Format, typename T, int ROWS, int COLUMNS, int THREADS>
struct BlockTile {
  typedef SharedTile<T, ROWS, COLUMNS> Tile;
  static constexpr int kUnits = COLUMNS / kUnit;
  static_assert(ROWS * kUnits == THREADS, "every thread has a unit");
  static_assert(kUnits == 2 || kUnits == 4, "see the constructor");

  int row, chunk;  // of the tile, where the unit goes
  u32 unit = 0;
  typename Format::Bits bits{};

  // Eight lanes, which store at once, have two units of four rows: as SharedTile lays chunks, no
  // two of them meet in a bank.
  LN_DEVICE BlockTile() {
    const int t = int(threadIdx.x);
    row = kUnits == 2 ? t / 2 : t / 2 % 4 + t / 16 * 4;
    chunk = (kUnits == 2 ? t % 2 : t % 2 + t / 8 % 2 * 2) * (kUnit / 8);
  }

  // Past its last row or column the matrix repeats it: along N these are sums that nobody writes,
  // along K the other operand is zero. So all lanes go one way.
  LN_DEVICE void load(const BlockMatrix<Format>& from, u32 row0, u32 column0) {
    const u32 r = row0 + row, c = column0 / kUnit + chunk / (kUnit / 8);
    unit = from.first + (r < from.rows ? r : from.rows - 1) * from.across +
           (c < from.across ? c : from.across - 1);
    bits = from.format.load(unit);
  }

  LN_DEVICE void store(char* to, const BlockMatrix<Format>& from) const {
#pragma unroll
    for (u32 half = 0; half < 2; half++) {
      float x[16];
      from.format.numbers(x, bits, unit, half);
#pragma unroll
      for (int part = 0; part < 2; part++) {
        const int offset = Tile::offset(row, chunk + int(half) * 2 + part);
        store_shared(reinterpret_cast<Chunk*>(to + offset), packed<T>(x, part * 8));
      }
    }
  }
};

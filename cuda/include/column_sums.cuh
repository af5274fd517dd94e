// A thread's place in a ColumnTile, and the sum down its columns.
#pragma once
#include "column_sums.h"
#include "eight.cuh"

struct ColumnPlace {
  const int column = int(threadIdx.x) % ColumnTile::kAcross;
  const int row = int(threadIdx.x) / ColumnTile::kAcross;

  template <bool WHOLE>
  LN_DEVICE Span<WHOLE> span(i64 C) const {
    return Span<WHOLE>(i64(blockIdx.x) * ColumnTile::kChannels + column * 8, C);
  }

  // Over all rows of threads, for those of row 0, in a fixed order.
  LN_DEVICE Eight sum_down(Eight own) const {
    LN_DYNAMIC_SHARED(float, shared);  // [channel][row of threads]
    LN_EACH_OF_8 shared[(i * ColumnTile::kAcross + column) * ColumnTile::kPitch + row] = own[i];
    __syncthreads();
    if (row > 0) return own;
    LN_EACH_OF_8 {
      own[i] = 0;
#pragma unroll 4
      for (int r = 0; r < ColumnTile::kDown; r++)
        own[i] += shared[(i * ColumnTile::kAcross + column) * ColumnTile::kPitch + r];
    }
    return own;
  }
};

// Matrix product, plain: C [M, N] = scale A B (+ bias) (+ C), any strides, f32 arithmetic.
//
// One block of 256 threads for a tile of 64 x 64; A and B pass through shared memory 16 deep; each
// thread holds 4 x 4 of C. K runs in order, so results do not depend on the grid.
// Shared memory: 8.5 KB. FLOPs: 2 M N K. Bound by FMA issue, at about a third of a card's f32 rate;
// the tensor cores are not used: this is the variant that the fast ones are checked against.
#include "blocks.cuh"
#include "gemm.h"

// One number of C, by its dtype.
template <typename C>
LN_DEVICE void write(C* c, float value, int accumulate) {
  store(c, accumulate ? value + load(*c) : value);
}

// The part of B at (k0, column0) from blocks: a thread takes 16 neighbours apart.
LN_DEVICE void take_blocks(float* tile_b, const void* b, const GemmArguments& g, i64 k0,
                           i64 column0) {
  const int i = int(threadIdx.x);
  if (i >= GemmTile::kDepth * GemmTile::kColumns / 16) return;
  const bool along_k = g.b_row == 1;
  const int k = along_k ? 0 : i / 4, column = along_k ? i : i % 4 * 16;
  const i64 r = along_k ? column0 + column : k0 + k, c = along_k ? k0 : column0 + column;
  float x[16] = {};
  const i64 rows = along_k ? g.N : g.K, columns = along_k ? g.K : g.N;
  if (r < rows && c < columns) read_sixteen(x, b, rows * columns, g.b_format, r * columns + c);
  for (int j = 0; j < 16; j++)
    tile_b[(along_k ? j : k) * GemmTile::kStride + column + (along_k ? 0 : j)] = x[j];
}

template <typename T>
LN_DEVICE void gemm(const T* a, const T* b, void* c, const float* bias, const i32* rows_left,
                    const GemmArguments& g) {
  LN_DYNAMIC_SHARED(float, tiles);
  float* tile_a = tiles;
  float* tile_b = tiles + GemmTile::kDepth * GemmTile::kStride;
  const i64 row0 = i64(blockIdx.y) * GemmTile::kRows,
            column0 = i64(blockIdx.x) * GemmTile::kColumns;
  i64 rows = g.M;
  if (rows_left) {
    i64 left = i64(*rows_left) - g.row_offset;
    rows = left < rows ? left : rows;
  }
  if (row0 >= rows) return;  // the whole block: no barrier is missed
  i64 depth = g.K;
  if (g.depth_left) {
    i64 left = i64(*g.depth_left) - g.row_offset;
    depth = left < depth ? left : depth;
  }
  const int tx = int(threadIdx.x) % 16, ty = int(threadIdx.x) / 16;
  float sum[4][4] = {};
  for (i64 k0 = 0; k0 < depth; k0 += GemmTile::kDepth) {
    for (int i = int(threadIdx.x); i < GemmTile::kRows * GemmTile::kDepth;
         i += GemmTile::kThreads) {
      // Neighbouring threads walk along whichever stride is 1.
      int ra = g.a_column == 1 ? i / GemmTile::kDepth : i % GemmTile::kRows;
      int ka = g.a_column == 1 ? i % GemmTile::kDepth : i / GemmTile::kRows;
      bool in_a = row0 + ra < rows && k0 + ka < depth;
      tile_a[ka * GemmTile::kStride + ra] =
          in_a ? load(a[(row0 + ra) * g.a_row + (k0 + ka) * g.a_column]) : 0.0f;
      if (g.b_format) continue;
      int cb = g.b_row == 1 ? i / GemmTile::kDepth : i % GemmTile::kColumns;
      int kb = g.b_row == 1 ? i % GemmTile::kDepth : i / GemmTile::kColumns;
      bool in_b = column0 + cb < g.N && k0 + kb < depth;
      tile_b[kb * GemmTile::kStride + cb] =
          in_b ? load(b[(k0 + kb) * g.b_row + (column0 + cb) * g.b_column]) : 0.0f;
    }
    if (g.b_format) take_blocks(tile_b, b, g, k0, column0);
    __syncthreads();
    for (int k = 0; k < GemmTile::kDepth; k++) {
      float x[4], y[4];
      for (int i = 0; i < 4; i++) x[i] = tile_a[k * GemmTile::kStride + ty * 4 + i];
      for (int j = 0; j < 4; j++) y[j] = tile_b[k * GemmTile::kStride + tx * 4 + j];
      for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) sum[i][j] += x[i] * y[j];
    }
    __syncthreads();
  }
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) {
      i64 m = row0 + ty * 4 + i, n = column0 + tx * 4 + j;
      if (m >= rows || n >= g.N) continue;
      float value = sum[i][j] * g.scale;
      if (bias) value += bias[n];
      i64 at = m * g.c_row + n;
      if (g.c_is_f32)
        write(static_cast<float*>(c) + at, value, g.accumulate);
      else
        write(static_cast<T*>(c) + at, value, g.accumulate);
    }
}

LN_INSTANCES((GemmTile::kThreads), gemm,
             (const T* a, const T* b, void* c, const float* bias, const i32* rows_left,
              GemmArguments g),
             gemm(a, b, c, bias, rows_left, g))

// Matrix product on the tensor cores, with the low-rank term as its last K steps.
//
//   C [M, N] = scale (A [M, K] op(B) + L [M, R] op(B2)) (+ bias) (+ C)     Hu et al. 2021,
//   section 4.1
//
// Forward of lora_linear: A = x, B = W0 (nt), L = s x A^T, B2 = lora_B (nt).
// Backward to x:          A = dy, B = W0 (nn), L = s dy B, B2 = lora_A (nn).
//
// Tile: 128 x 128 x 32 with 8 warps of 64 x 32, or 64 x 64 x 32 with 4 of 32 x 32; three stages of
// cp.async, 16 bytes a thread, zeros at ragged edges; ldmatrix from swizzled rows (.trans for nn).
// Shared memory: 48 KB or 24 KB. FLOPs: 2 M N (K + R); bytes at least 2 (M K + N K + M N).
// Bound by the tensor cores from about K = 1024 on, below that by bytes. K runs in order in f32, so
// results do not depend on the grid.
#include "ptx.cuh"
#include "tensor_gemm.h"

template <typename Tile, bool NT>
struct TensorGemm {
  static constexpr int kWarpsAcross = Tile::kColumns / Tile::kWarpColumns;
  static constexpr int MT = Tile::kWarpRows / 16, NTILES = Tile::kWarpColumns / 8;

  // Where 16-byte chunk `chunk` of a row lies. Rows of A, and of B for nt, are 4 chunks long, rows
  // of B for nn one tile wide; the XOR spreads the 8 rows of an ldmatrix over all banks.
  LN_DEVICE static int deep(int row, int chunk) {
    return row * 64 + ((chunk ^ (row >> 1 & 3)) << 4);
  }
  LN_DEVICE static int wide(int row, int chunk) {
    return row * Tile::kColumns * 2 + ((chunk ^ (row & 7)) << 4);
  }

  // Copies rows [row0, row0 + rows) and columns [k0, k0 + 32) of a [row_count, k_count] matrix.
  LN_DEVICE static void fetch_deep(char* to, const gpu_bf16* from, int rows, i64 row0,
                                   i64 row_count, i64 k0, i64 k_count) {
    for (int i = int(threadIdx.x); i < rows * 4; i += Tile::kThreads) {
      int row = i / 4, chunk = i % 4;
      i64 k = k0 + chunk * 8;
      bool inside = row0 + row < row_count && k < k_count;
      copy_async_16(to + deep(row, chunk), inside ? from + (row0 + row) * k_count + k : from,
                    inside ? 16 : 0);
    }
  }

  // Copies rows [k0, k0 + 32) and columns [n0, n0 + kColumns) of a [k_count, n_count] matrix.
  LN_DEVICE static void fetch_wide(char* to, const gpu_bf16* from, i64 k0, i64 k_count, i64 n0,
                                   i64 n_count) {
    constexpr int kChunks = Tile::kColumns / 8;
    for (int i = int(threadIdx.x); i < Tile::kDepth * kChunks; i += Tile::kThreads) {
      int row = i / kChunks, chunk = i % kChunks;
      i64 n = n0 + chunk * 8;
      bool inside = k0 + row < k_count && n < n_count;
      copy_async_16(to + wide(row, chunk), inside ? from + (k0 + row) * n_count + n : from,
                    inside ? 16 : 0);
    }
  }

  LN_DEVICE static void run(const TensorGemmArguments& g) {
    LN_DYNAMIC_SHARED(char, shared);
    const i64 m0 = i64(blockIdx.y) * Tile::kRows, n0 = i64(blockIdx.x) * Tile::kColumns;
    i64 rows = g.M;
    if (g.rows_left) {
      i64 left = i64(*g.rows_left) - g.row_offset;
      rows = left < rows ? left : rows;
    }
    if (m0 >= rows) return;  // the whole block
    const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32;
    const int wm = warp / kWarpsAcross * Tile::kWarpRows;
    const int wn = warp % kWarpsAcross * Tile::kWarpColumns;
    const int steps = int((g.K + Tile::kDepth - 1) / Tile::kDepth);
    const int low_steps = int((g.R + Tile::kDepth - 1) / Tile::kDepth);
    auto fetch = [&](int step) {
      if (step < steps + low_steps) {
        char* a = shared + step % Tile::kStages * (Tile::kBytesA + Tile::kBytesB);
        bool low = step >= steps;
        i64 k0 = i64(low ? step - steps : step) * Tile::kDepth, k_count = low ? g.R : g.K;
        const gpu_bf16* b = low ? g.low_b : g.b;
        fetch_deep(a, low ? g.low_a : g.a, Tile::kRows, m0, rows, k0, k_count);
        if (NT)
          fetch_deep(a + Tile::kBytesA, b, Tile::kColumns, n0, g.N, k0, k_count);
        else
          fetch_wide(a + Tile::kBytesA, b, k0, k_count, n0, g.N);
      }
      copy_async_commit();  // also an empty group, so that waits count alike at the end
    };

    float sum[MT][NTILES][4] = {};
    for (int step = 0; step < Tile::kStages - 1; step++) fetch(step);
    for (int step = 0; step < steps + low_steps; step++) {
      copy_async_wait<Tile::kStages - 2>();
      __syncthreads();  // this step has landed for all; the stage fetched next has been read by all
      fetch(step + Tile::kStages - 1);
      const char* a = shared + step % Tile::kStages * (Tile::kBytesA + Tile::kBytesB);
      const char* b = a + Tile::kBytesA;
#pragma unroll
      for (int half = 0; half < Tile::kDepth / 16; half++) {
        u32 fragments_a[MT][4], fragments_b[NTILES / 2][4];
        const void *rows_a[MT], *rows_b[NTILES / 2];
#pragma unroll
        for (int i = 0; i < MT; i++)
          rows_a[i] = a + deep(wm + i * 16 + lane % 16, half * 2 + lane / 16);
#pragma unroll
        for (int j = 0; j < NTILES / 2; j++)
          rows_b[j] = NT ? b + deep(wn + j * 16 + lane % 8 + lane / 16 * 8, half * 2 + lane / 8 % 2)
                         : b + wide(half * 16 + lane % 16, wn / 8 + j * 2 + lane / 16);
        load_matrices<false>(fragments_a, rows_a);
        load_matrices<!NT>(fragments_b, rows_b);
        multiply_tiles<MT, NTILES>(sum, fragments_a,
                                   reinterpret_cast<const u32(&)[NTILES][2]>(fragments_b));
      }
    }
    copy_async_wait<0>();
    write(g, sum, m0 + wm, n0 + wn, rows, lane);
  }

  LN_DEVICE static void write(const TensorGemmArguments& g, const float (&sum)[MT][NTILES][4],
                              i64 m0, i64 n0, i64 rows, int lane) {
#pragma unroll
    for (int i = 0; i < MT; i++)
#pragma unroll
      for (int j = 0; j < NTILES; j++)
#pragma unroll
        for (int r = 0; r < 4; r++) {
          i64 m = m0 + i * 16 + lane / 4 + r / 2 * 8, n = n0 + j * 8 + lane % 4 * 2 + r % 2;
          if (m >= rows || n >= g.N) continue;
          float value = sum[i][j][r] * g.scale;
          if (g.bias) value += g.bias[n];
          if (g.c_is_f32) {
            float* c = static_cast<float*>(g.c) + m * g.N + n;
            *c = g.accumulate ? *c + value : value;
          } else {
            gpu_bf16* c = static_cast<gpu_bf16*>(g.c) + m * g.N + n;
            store(c, g.accumulate ? load(*c) + value : value);
          }
        }
  }
};

extern "C" __global__ void __launch_bounds__(LargeTile::kThreads)
    tensor_gemm_nt_large(TensorGemmArguments g) {
  TensorGemm<LargeTile, true>::run(g);
}
extern "C" __global__ void __launch_bounds__(SmallTile::kThreads)
    tensor_gemm_nt_small(TensorGemmArguments g) {
  TensorGemm<SmallTile, true>::run(g);
}
extern "C" __global__ void __launch_bounds__(LargeTile::kThreads)
    tensor_gemm_nn_large(TensorGemmArguments g) {
  TensorGemm<LargeTile, false>::run(g);
}
extern "C" __global__ void __launch_bounds__(SmallTile::kThreads)
    tensor_gemm_nn_small(TensorGemmArguments g) {
  TensorGemm<SmallTile, false>::run(g);
}

LN_KERNEL(tensor_gemm_nt_large)
LN_KERNEL(tensor_gemm_nt_small)
LN_KERNEL(tensor_gemm_nn_large)
LN_KERNEL(tensor_gemm_nn_small)

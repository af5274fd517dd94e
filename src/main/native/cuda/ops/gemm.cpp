// Launcher of the matrix product.
#include "gemm.h"

#include "cuda/launch.h"

namespace ln {

int cuda_gemm(Device* device, const Gemm& g) {
  GemmArguments a;
  a.a_row = g.a.transposed ? 1 : g.K;
  a.a_column = g.a.transposed ? g.M : 1;
  a.b_row = g.b.transposed ? 1 : g.N;
  a.b_column = g.b.transposed ? g.K : 1;
  a.M = g.M;
  a.N = g.N;
  a.K = g.K;
  a.row_offset = g.row_offset;
  a.scale = g.scale;
  a.accumulate = g.accumulate;
  Grid grid{(g.N + GemmTile::kColumns - 1) / GemmTile::kColumns,
            (g.M + GemmTile::kRows - 1) / GemmTile::kRows};
  unsigned threads = GemmTile::kThreads, shared = GemmTile::kSharedBytes;
  if (g.a.dtype != g.b.dtype)
    return fail(LN_UNSUPPORTED, "a product of dtypes %d and %d", g.a.dtype, g.b.dtype);
  if (g.a.dtype == LN_F32)
    return LN_LAUNCH(device, gemm_f32, grid, threads, shared, g.a.address, g.b.address, g.c.address,
                     g.bias, g.rows_left, a);
  if (g.c.dtype == LN_F32)
    return LN_LAUNCH(device, gemm_bf16_f32, grid, threads, shared, g.a.address, g.b.address,
                     g.c.address, g.bias, g.rows_left, a);
  return LN_LAUNCH(device, gemm_bf16, grid, threads, shared, g.a.address, g.b.address, g.c.address,
                   g.bias, g.rows_left, a);
}

}  // namespace ln

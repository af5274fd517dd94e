// Launchers of the row kernels.
#include "rows.h"

#include "cuda/launch.h"

namespace ln {
namespace cuda {

static constexpr unsigned kThreads = 256;

// Whether a norm turns its rows, heads of C channels at these addresses: in a warp, whose lanes
// have whole eights and find their partners by one bit of their number.
static bool turns(int64_t C, int64_t addresses) {
  return C % 16 == 0 && C <= 256 && (C & (C - 1)) == 0 && addresses % 16 == 0;
}

int ln_rms_norm_fwd(int64_t device, int64_t x, int64_t residual, int64_t w, int64_t y, int64_t sum,
                    int64_t rstd, int64_t table, int64_t heads, int64_t M, int64_t C, float eps,
                    int32_t dtype) {
  if (table && !turns(C, x | w | y | table)) {
    LN_TRY(ln_rms_norm_fwd(device, x, residual, w, y, sum, rstd, 0, 1, M, C, eps, dtype));
    return ln_rope_fwd(device, y, table, y, M / heads, heads, C, C / 2, 0, 0, dtype);
  }
  return LN_LAUNCH_TYPED(of(device), dtype, rms_norm_fwd, cover(M, RowTile::rows(C)),
                         RowTile::threads(C), RowTile::kSharedBytes, x, residual, w, y, sum, rstd,
                         table, heads, M, C, eps, RowTile::warps(C));
}

int ln_rms_norm_bwd(int64_t device, int64_t dy, int64_t dsum, int64_t sum, int64_t w, int64_t rstd,
                    int64_t dx, int64_t table, int64_t heads, int64_t M, int64_t C, int32_t dtype) {
  if (table && !turns(C, dy | sum | w | dx | table)) {
    LN_TRY(ln_rope_fwd(device, dy, table, dx, M / heads, heads, C, C / 2, 0, 1, dtype));
    return ln_rms_norm_bwd(device, dx, dsum, sum, w, rstd, dx, 0, 1, M, C, dtype);
  }
  return LN_LAUNCH_TYPED(of(device), dtype, rms_norm_bwd, cover(M, RowTile::rows(C)),
                         RowTile::threads(C), RowTile::kSharedBytes, dy, dsum, sum, w, rstd, dx,
                         table, heads, M, C, RowTile::warps(C));
}

int ln_rope_table_fwd(int64_t device, int64_t positions, int64_t inv_freq, int64_t table_at,
                      int64_t M, int64_t half, float scale, float beta, int64_t length) {
  return LN_LAUNCH(of(device), rope_table, cover(M * half, 128), 128, 0, positions, inv_freq,
                   table_at, M, half, scale, beta, length);
}

int ln_grid_rope_table_fwd(int64_t device, int64_t moved, int64_t table, int64_t B, int64_t H,
                           int64_t W, int64_t P, int64_t T, int64_t image_at, int64_t text_at,
                           int64_t text_step, int64_t half0, int64_t half1, int64_t half2,
                           float theta) {
  GridRopeArguments g{H, W, P, T, image_at, text_at, text_step, {half0, half1, half2}, theta};
  int64_t tokens = B * (H * W + P + T);
  return LN_LAUNCH(of(device), grid_rope_table, cover(tokens * (half0 + half1 + half2), 128), 128,
                   0, moved, table, g, tokens);
}

int ln_rope_fwd(int64_t device, int64_t x, int64_t table_at, int64_t y, int64_t M, int64_t heads,
                int64_t head_dim, int64_t half, int32_t interleaved, int32_t inverse,
                int32_t dtype) {
  const float sign = inverse ? -1.0f : 1.0f;
  if (interleaved)
    return LN_LAUNCH_TYPED(of(device), dtype, rope_pairs,
                           cover(M * heads * ((head_dim + 7) / 8), kThreads), kThreads, 0, x,
                           table_at, y, M * heads, heads, head_dim, half, sign);
  int64_t eights = M * heads * ((half + 7) / 8 + (head_dim - 2 * half + 7) / 8);
  return LN_LAUNCH_TYPED(of(device), dtype, rope, cover(eights, kThreads), kThreads, 0, x, table_at,
                         y, M * heads, heads, head_dim, half, sign);
}

}  // namespace cuda
}  // namespace ln

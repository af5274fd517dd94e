// Launchers of DoRA's kernels.
#include "dora.h"

#include "common/types.h"
#include "cuda/launch.h"

namespace ln {
namespace cuda {

int64_t ln_dora_norm_scratch(int64_t, int64_t, int64_t) { return 0; }

int ln_dora_norm_fwd(int64_t device, int64_t w0, int64_t a, int64_t b, int64_t norm, int64_t,
                     int64_t in, int64_t out, int64_t rank, float scale, int32_t w_dtype) {
  DoraNormArguments g{out, in, rank, scale, is_blocks(w_dtype) ? w_dtype : 0};
  int32_t plain = is_blocks(w_dtype) ? int32_t(LN_F32) : w_dtype;
  return LN_LAUNCH_TYPED(of(device), plain, dora_norm, (Grid{out, 1}), DoraNormTile::kThreads,
                         DoraNormTile::kSharedBytes, w0, a, b, norm, g);
}

int ln_dora_scale_fwd(int64_t device, int64_t z, int64_t m, int64_t norm, int64_t bias, int64_t y,
                      int64_t M, int64_t C, int32_t dtype) {
  return LN_LAUNCH_TYPED(of(device), dtype, dora_scale_fwd, cover(M * ((C + 7) / 8), 256), 256, 0,
                         z, m, norm, bias, y, M, C);
}

static int64_t row_blocks(int64_t M) { return (M + DoraSumTile::kRows - 1) / DoraSumTile::kRows; }

int64_t ln_dora_scale_scratch(int64_t, int64_t M, int64_t C) { return row_blocks(M) * C * 4; }

int ln_dora_scale_bwd(int64_t device, int64_t dy, int64_t z, int64_t m, int64_t norm, int64_t dz,
                      int64_t dm, int64_t scratch, int64_t M, int64_t C, int32_t dtype) {
  Grid grid{cover(C, DoraSumTile::kChannels).x, row_blocks(M)};
  LN_TRY(LN_LAUNCH_TYPED(of(device), dtype, dora_scale_bwd, grid, DoraSumTile::kThreads,
                         DoraSumTile::kSharedBytes, dy, z, m, norm, dz, scratch, M, C));
  return LN_LAUNCH(of(device), dora_magnitude, cover(C, 128), 128, 0, scratch, norm, dm,
                   row_blocks(M), C);
}

}  // namespace cuda
}  // namespace ln

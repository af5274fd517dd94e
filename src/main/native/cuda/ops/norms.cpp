// Launchers of layer norm and group norm.
#include "norms.h"

#include "cuda/launch.h"

namespace ln {
namespace cuda {

static constexpr unsigned kThreads = 128;
static constexpr int64_t kRowsPerBlock = 4;

int ln_layer_norm_fwd(int64_t device, int64_t x, int64_t w, int64_t b, int64_t y, int64_t stats,
                      int64_t M, int64_t C, float eps, int32_t dtype) {
  return LN_LAUNCH_TYPED(of(device), dtype, layer_norm_fwd, cover(M, kRowsPerBlock), kThreads, 0, x,
                         w, b, y, stats, M, C, eps);
}

int ln_layer_norm_bwd(int64_t device, int64_t dy, int64_t x, int64_t w, int64_t stats, int64_t dx,
                      int64_t M, int64_t C, int32_t dtype) {
  return LN_LAUNCH_TYPED(of(device), dtype, layer_norm_bwd, cover(M, kRowsPerBlock), kThreads, 0,
                         dy, x, w, stats, dx, M, C);
}

int ln_group_norm_fwd(int64_t device, int64_t x, int64_t w, int64_t b, int64_t y, int64_t stats,
                      int64_t B, int64_t N, int64_t C, int64_t groups, float eps, int32_t silu,
                      int32_t dtype) {
  GroupArguments g{N, C, groups, eps, silu};
  Grid grid{B * groups};
  return LN_LAUNCH_TYPED(of(device), dtype, group_norm_fwd, grid, GroupTile::kThreads,
                         GroupTile::kSharedBytes, x, w, b, y, stats, g);
}

int ln_group_norm_bwd(int64_t device, int64_t dy, int64_t x, int64_t w, int64_t b, int64_t stats,
                      int64_t dx, int64_t B, int64_t N, int64_t C, int64_t groups, int32_t silu,
                      int32_t dtype) {
  GroupArguments g{N, C, groups, 0, silu};
  Grid grid{B * groups};
  return LN_LAUNCH_TYPED(of(device), dtype, group_norm_bwd, grid, GroupTile::kThreads,
                         GroupTile::kSharedBytes, dy, x, w, b, stats, dx, g);
}

}  // namespace cuda
}  // namespace ln

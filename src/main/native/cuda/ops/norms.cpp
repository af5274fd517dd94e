// Launchers of layer norm and group norm.
#include "norms.h"

#include "cuda/launch.h"

namespace ln {
namespace cuda {

int ln_layer_norm_fwd(int64_t device, int64_t x, int64_t w, int64_t b, int64_t y, int64_t stats,
                      int64_t M, int64_t C, float eps, int32_t dtype) {
  return LN_LAUNCH_TYPED(of(device), dtype, layer_norm_fwd, cover(M, RowTile::rows(C)),
                         RowTile::threads(C), RowTile::kSharedBytes, x, w, b, y, stats, M, C, eps,
                         RowTile::warps(C));
}

int ln_layer_norm_bwd(int64_t device, int64_t dy, int64_t x, int64_t w, int64_t stats, int64_t dx,
                      int64_t M, int64_t C, int32_t dtype) {
  return LN_LAUNCH_TYPED(of(device), dtype, layer_norm_bwd, cover(M, RowTile::rows(C)),
                         RowTile::threads(C), RowTile::kSharedBytes, dy, x, w, stats, dx, M, C,
                         RowTile::warps(C));
}

int64_t ln_group_norm_scratch(int64_t, int64_t B, int64_t N, int64_t C, int64_t groups) {
  return B * groups * GroupTile::splits(N, C) * int64_t(sizeof(GroupSums));
}

static GroupArguments group_arguments(int64_t N, int64_t C, int64_t groups, float eps,
                                      int32_t silu) {
  return {N, i32(C), i32(groups), GroupTile::pixels(N, C), GroupTile::splits(N, C), eps, silu};
}

int ln_group_norm_fwd(int64_t device, int64_t x, int64_t w, int64_t b, int64_t y, int64_t stats,
                      int64_t scratch, int64_t B, int64_t N, int64_t C, int64_t groups, float eps,
                      int32_t silu, int32_t dtype) {
  GroupArguments g = group_arguments(N, C, groups, eps, silu);
  Grid grid{g.splits, B};
  LN_TRY(LN_LAUNCH_TYPED(of(device), dtype, group_moments, grid, GroupTile::kThreads,
                         GroupTile::sums_bytes(C), x, scratch, g));
  return LN_LAUNCH_TYPED(of(device), dtype, group_norm_fwd, grid, GroupTile::kThreads,
                         groups * int64_t(sizeof(GroupSums)), x, w, b, scratch, y, stats, g);
}

int ln_group_norm_bwd(int64_t device, int64_t dy, int64_t x, int64_t w, int64_t b, int64_t stats,
                      int64_t dx, int64_t scratch, int64_t B, int64_t N, int64_t C, int64_t groups,
                      int32_t silu, int32_t dtype) {
  GroupArguments g = group_arguments(N, C, groups, 0, silu);
  Grid grid{g.splits, B};
  LN_TRY(LN_LAUNCH_TYPED(of(device), dtype, group_gradients, grid, GroupTile::kThreads,
                         GroupTile::sums_bytes(C), dy, x, w, b, stats, scratch, g));
  return LN_LAUNCH_TYPED(of(device), dtype, group_norm_bwd, grid, GroupTile::kThreads,
                         groups * int64_t(sizeof(GroupSums)), dy, x, w, b, stats, scratch, dx, g);
}

}  // namespace cuda
}  // namespace ln

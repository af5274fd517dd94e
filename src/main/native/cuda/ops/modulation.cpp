// Launchers of modulated norms and gated adds.
#include "modulation.h"

#include "cuda/launch.h"

namespace ln {
namespace cuda {

static constexpr unsigned kThreads = 256;

// A block for an image and some of its channels.
static Grid sums(int64_t B, int64_t C) { return {cover(C, ColumnTile::kChannels).x, B}; }

int ln_modulated_norm_fwd(int64_t device, int64_t x, int64_t scale, int64_t shift, int64_t y,
                          int64_t stats, int64_t B, int64_t N, int64_t C, float eps,
                          int32_t dtype) {
  return LN_LAUNCH_TYPED(of(device), dtype, modulated_norm_fwd, cover(B * N, RowTile::rows(C)),
                         RowTile::threads(C), RowTile::kSharedBytes, x, scale, shift, y, stats,
                         B * N, N, C, eps, RowTile::warps(C));
}

int ln_modulated_norm_bwd(int64_t device, int64_t dy, int64_t x, int64_t scale, int64_t stats,
                          int64_t dx, int64_t B, int64_t N, int64_t C, int32_t dtype) {
  return LN_LAUNCH_TYPED(of(device), dtype, modulated_norm_bwd, cover(B * N, RowTile::rows(C)),
                         RowTile::threads(C), RowTile::kSharedBytes, dy, x, scale, stats, dx, B * N,
                         N, C, RowTile::warps(C));
}

int ln_modulated_norm_weight_bwd(int64_t device, int64_t dy, int64_t x, int64_t stats,
                                 int64_t dscale, int64_t dshift, int64_t B, int64_t N, int64_t C,
                                 int32_t dtype) {
  return LN_LAUNCH_TYPED(of(device), dtype, modulation_bwd, sums(B, C), ColumnTile::kThreads,
                         ColumnTile::kSharedBytes, dy, x, stats, dscale, dshift, N, C);
}

int ln_gated_add_fwd(int64_t device, int64_t x, int64_t z, int64_t gate, int64_t y, int64_t B,
                     int64_t N, int64_t C, int32_t dtype) {
  return LN_LAUNCH_TYPED(of(device), dtype, gated_add, cover(B * N * ((C + 7) / 8), kThreads),
                         kThreads, 0, x, z, gate, y, B * N, N, C);
}

int ln_gated_add_bwd(int64_t device, int64_t dy, int64_t gate, int64_t dz, int64_t B, int64_t N,
                     int64_t C, int32_t dtype) {
  return ln_gated_add_fwd(device, 0, dy, gate, dz, B, N, C, dtype);
}

int ln_gated_add_weight_bwd(int64_t device, int64_t dy, int64_t z, int64_t dgate, int64_t B,
                            int64_t N, int64_t C, int32_t dtype) {
  return LN_LAUNCH_TYPED(of(device), dtype, gate_bwd, sums(B, C), ColumnTile::kThreads,
                         ColumnTile::kSharedBytes, dy, z, dgate, N, C);
}

}  // namespace cuda
}  // namespace ln

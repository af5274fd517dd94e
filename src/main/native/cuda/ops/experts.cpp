// Launchers of mixtures of experts.
#include "experts.h"

#include "common/types.h"
#include "composed/experts.h"
#include "cuda/block_kernels.h"
#include "cuda/tensor_tiles.h"

namespace ln {
namespace cuda {

static constexpr unsigned kThreads = 256, kWarps = kThreads / 32;

int put_in_order(Device* device, int64_t chosen, int64_t order, int64_t place, int64_t offsets,
                 int64_t slots, int64_t E) {
  return LN_LAUNCH(device, route_order, cover(E, 1), RouteTile::kThreads, RouteTile::kSharedBytes,
                   chosen, order, place, offsets, slots, E);
}

int ln_route_fwd(int64_t device, int64_t logits, int64_t weights, int64_t chosen, int64_t order,
                 int64_t place, int64_t offsets, int64_t M, int64_t E, int64_t k, int32_t normalize,
                 int32_t dtype) {
  RouteArguments r{M, E, k, normalize};
  LN_TRY(LN_LAUNCH_TYPED(of(device), dtype, route_fwd, cover(M, RouteTile::kRows),
                         RouteTile::kThreads, 0, logits, weights, chosen, r));
  return put_in_order(of(device), chosen, order, place, offsets, M * k, E);
}

int ln_route_bwd(int64_t device, int64_t dweights, int64_t logits, int64_t weights, int64_t chosen,
                 int64_t dlogits, int64_t M, int64_t E, int64_t k, int32_t normalize,
                 int32_t dtype) {
  RouteArguments r{M, E, k, normalize};
  return LN_LAUNCH_TYPED(of(device), dtype, route_bwd, cover(M, RouteTile::kRows),
                         RouteTile::kThreads, 0, dweights, logits, weights, chosen, dlogits, r);
}

// A thread for eight numbers of a row.
static Grid eights(int64_t rows, int64_t columns) {
  return cover(rows * ((columns + 7) / 8), kThreads);
}

int ln_gather_rows_fwd(int64_t device, int64_t x, int64_t order, int64_t weights, int64_t y,
                       int64_t R, int64_t k, int64_t C, int32_t dtype) {
  return LN_LAUNCH_TYPED(of(device), dtype, expert_rows, eights(R, C), kThreads, 0, x, order,
                         weights, y, R, k, C);
}

int ln_combine_rows_fwd(int64_t device, int64_t x, int64_t place, int64_t weights, int64_t y,
                        int64_t M, int64_t k, int64_t C, int32_t dtype) {
  return LN_LAUNCH_TYPED(of(device), dtype, combine_rows, eights(M, C), kThreads, 0, x, place,
                         weights, y, M, k, C);
}

int ln_combine_rows_weight_bwd(int64_t device, int64_t dy, int64_t x, int64_t place,
                               int64_t dweights, int64_t M, int64_t k, int64_t C, int32_t dtype) {
  return LN_LAUNCH_TYPED(of(device), dtype, combine_rows_weight, cover(M * k, kWarps), kThreads, 0,
                         dy, x, place, dweights, M, k, C);
}

// Tiles of `height` rows that R rows of E experts could need, however they fall.
static int64_t most_tiles(int64_t R, int64_t E, int64_t height) {
  return R / height + (R < E ? R : E);
}

int expert_gemm(Device* device, const ExpertGemm& all) {
  const ExpertArguments g{ptr<void>(all.x),
                          ptr<void>(all.w),
                          ptr<void>(all.low_x),
                          ptr<void>(all.low_w),
                          ptr<i32>(all.offsets),
                          ptr<void>(all.y),
                          all.E,
                          all.N,
                          all.K,
                          all.rank,
                          all.transposed,
                          is_blocks(all.w_dtype) ? all.w_dtype : 0,
                          all.accumulate,
                          all.scale,
                          0};
  const int64_t R = all.R, aligned = all.x | all.w | all.low_x | all.low_w;
  const int32_t dtype = all.dtype;
  const bool chunks = (g.K | g.R) % 8 == 0 && (g.b_transposed || g.b_format || g.N % 8 == 0);
  if (dtype == LN_F32 || !chunks || aligned % 16 != 0) {
    Grid grid{tiles_over(g.N, GemmTile::kColumns), most_tiles(R, g.E, GemmTile::kRows)};
    return LN_LAUNCH_TYPED(device, dtype, expert_gemm, grid, GemmTile::kThreads,
                           GemmTile::kSharedBytes, g);
  }
  Grid grid{tiles_over(g.N, SmallTile::kColumns), most_tiles(R, g.E, SmallTile::kRows)};
#define LN_EXPERT_BLOCKS(kernel)                                                      \
  LN_LAUNCH_BLOCKS(device, g.b_format, dtype, kernel, grid, SmallBlockTile::kThreads, \
                   SmallBlockTile::kSharedBytes, g)
  if (g.b_format)
    return g.b_transposed ? LN_EXPERT_BLOCKS(expert_block_gemm_nt)
                          : LN_EXPERT_BLOCKS(expert_block_gemm_nn);
  return g.b_transposed ? LN_LAUNCH_16_BIT(device, dtype, expert_gemm_nt, grid, SmallTile::kThreads,
                                           SmallTile::kSharedBytes, g)
                        : LN_LAUNCH_16_BIT(device, dtype, expert_gemm_nn, grid, SmallTile::kThreads,
                                           SmallTile::kSharedBytes, g);
}

int expert_gradient(Device* device, const ExpertGradient& all) {
  const ExpertGradientArguments g{ptr<void>(all.p),
                                  ptr<void>(all.q),
                                  ptr<i32>(all.offsets),
                                  ptr<float>(all.d),
                                  all.E,
                                  all.P,
                                  all.Q,
                                  all.p_pitch,
                                  all.q_pitch};
  const bool chunks = (g.p_pitch | g.q_pitch) % 8 == 0 && (all.p | all.q) % 16 == 0;
  if (all.dtype == LN_F32 || !chunks) {
    Grid grid{tiles_over(g.Q, GemmTile::kColumns), g.E * tiles_over(g.P, GemmTile::kRows)};
    return LN_LAUNCH_TYPED(device, all.dtype, expert_gradient, grid, GemmTile::kThreads,
                           GemmTile::kSharedBytes, g);
  }
  Grid grid{tiles_over(g.Q, SmallTile::kColumns), g.E * tiles_over(g.P, SmallTile::kRows)};
  return LN_LAUNCH_16_BIT(device, all.dtype, expert_gradient_tn, grid, SmallTile::kThreads,
                          SmallTile::kSharedBytes, g);
}

// Blocks are taken apart tile by tile.
int64_t ln_expert_linear_scratch(int64_t, int64_t, int64_t, int32_t, int32_t) { return 0; }

}  // namespace cuda
}  // namespace ln

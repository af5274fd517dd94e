// Launchers of Prodigy.
#include "prodigy.h"

#include "cuda/launch.h"

namespace ln {
namespace cuda {

int64_t ln_prodigy_moments_scratch(int64_t, int64_t n) {
  return cover(n, ProdigyTile::kBlock).x * 16;
}

int ln_prodigy_moments_fwd(int64_t device, int64_t p, int64_t grad, int64_t p0, int64_t m,
                           int64_t v, int64_t s, int64_t distance, int64_t clip, int64_t step,
                           int64_t scratch, int64_t n, float beta1, float beta2, float beta3,
                           float d0, int32_t warmup) {
  ProdigyArguments a{beta1, beta2, beta3, d0, warmup};
  Grid blocks = cover(n, ProdigyTile::kBlock);
  LN_TRY(LN_LAUNCH(of(device), prodigy_moments, blocks, ProdigyTile::kThreads, 256 * 8, p, grad, p0,
                   m, v, s, distance, clip, step, scratch, n, a));
  return LN_LAUNCH(of(device), prodigy_distance, Grid{}, 256, 256 * 8, scratch, distance, clip,
                   step, blocks.x, a);
}

int ln_prodigy_fwd(int64_t device, int64_t p, int64_t m, int64_t v, int64_t distance, int64_t clip,
                   int64_t step, int64_t n, float eps, float weight_decay) {
  return LN_LAUNCH(of(device), prodigy, cover(n, 8 * 256), 256, 0, p, m, v, distance, clip, step, n,
                   eps, weight_decay);
}

}  // namespace cuda
}  // namespace ln

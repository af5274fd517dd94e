// Launchers of the choice of experts by sigmoids.
#include "sigmoid_route.h"

#include "composed/experts.h"
#include "cuda/launch.h"

namespace ln {
namespace cuda {

int ln_sigmoid_route_fwd(int64_t device, int64_t logits, int64_t bias, int64_t weights,
                         int64_t chosen, int64_t order, int64_t place, int64_t offsets, int64_t M,
                         int64_t E, int64_t k, int64_t groups, int64_t top_groups,
                         int32_t normalize, float scale, int32_t dtype) {
  const SigmoidRouteArguments r{M, E, k, groups, top_groups, normalize, scale};
  LN_TRY(LN_LAUNCH_TYPED(of(device), dtype, sigmoid_route_fwd, cover(M, RouteTile::kRows),
                         RouteTile::kThreads, 0, logits, bias, weights, chosen, r));
  return put_in_order(of(device), chosen, order, place, offsets, M * k, E);
}

int ln_sigmoid_route_bwd(int64_t device, int64_t dweights, int64_t logits, int64_t chosen,
                         int64_t dlogits, int64_t M, int64_t E, int64_t k, int32_t normalize,
                         float scale, int32_t dtype) {
  const SigmoidRouteArguments r{M, E, k, 1, 1, normalize, scale};
  return LN_LAUNCH_TYPED(of(device), dtype, sigmoid_route_bwd, cover(M, RouteTile::kRows),
                         RouteTile::kThreads, 0, dweights, logits, chosen, dlogits, r);
}

}  // namespace cuda
}  // namespace ln

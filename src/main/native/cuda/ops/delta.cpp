// Launchers of what LoHa and LoKr add to a weight.
#include "delta.h"

#include "cuda/launch.h"

namespace ln {
namespace cuda {

// A thread for eight numbers.
static Grid eights(int64_t n) { return cover((n + 7) / 8, 256); }

static KroneckerArguments arguments(const Kronecker& k) {
  return {k.out_l, k.out_k, k.in_m, k.in_n, k.taps, k.scale};
}

int hadamard(Device* device, int64_t p1, int64_t p2, int64_t d, int64_t n, float scale,
             int32_t dtype) {
  return LN_LAUNCH_TYPED(device, dtype, hadamard, eights(n), 256, 0, p1, p2, d, n, scale);
}

int hadamard_gradients(Device* device, int64_t dd, int64_t p1, int64_t p2, int64_t n, float scale) {
  return LN_LAUNCH(device, hadamard_bwd, eights(n), 256, 0, dd, p1, p2, n, scale);
}

int kronecker(Device* device, const Kronecker& k, int64_t w1, int64_t w2, int64_t d,
              int32_t dtype) {
  return LN_LAUNCH_TYPED(device, dtype, kronecker,
                         cover(k.first_size() * k.second_size(), KroneckerTile::kThreads),
                         KroneckerTile::kThreads, 0, w1, w2, d, arguments(k));
}

int kronecker_gradients(Device* device, const Kronecker& k, int64_t dd, int64_t w1, int64_t w2,
                        int64_t dw1, int64_t dw2, bool accumulate) {
  LN_TRY(LN_LAUNCH(device, kronecker_first, (Grid{k.first_size(), 1}), KroneckerTile::kThreads,
                   KroneckerTile::kSharedBytes, dd, w2, dw1, arguments(k)));
  return LN_LAUNCH(device, kronecker_second, cover(k.second_size(), KroneckerTile::kThreads),
                   KroneckerTile::kThreads, 0, dd, w1, dw2, arguments(k), accumulate);
}

}  // namespace cuda
}  // namespace ln

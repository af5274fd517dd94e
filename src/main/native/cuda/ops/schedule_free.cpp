// Launchers of AdamW without a schedule.
#include "schedule_free.h"

#include "cuda/launch.h"

namespace ln {
namespace cuda {

int ln_schedule_free_weight_fwd(int64_t device, int64_t average, int64_t clip, int64_t step) {
  return LN_LAUNCH(of(device), schedule_free_weight, Grid{}, 32, 0, average, clip, step);
}

int ln_schedule_free_adamw_fwd(int64_t device, int64_t y, int64_t grad, int64_t z, int64_t v,
                               int64_t average, int64_t clip, int64_t step, int64_t n, float rate,
                               float beta1, float beta2, float eps, float weight_decay) {
  AdamWArguments a{rate, beta1, beta2, eps, weight_decay};
  return LN_LAUNCH(of(device), schedule_free_adamw, cover(n, 8 * 256), 256, 0, y, grad, z, v,
                   average, clip, step, n, a);
}

}  // namespace cuda
}  // namespace ln

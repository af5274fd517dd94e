// Launchers of Adafactor and CAME.
#include "factored.h"

#include "cuda/launch.h"

namespace ln {
namespace cuda {

int ln_adafactor_fwd(int64_t device, int64_t p, int64_t grad, int64_t row, int64_t column,
                     int64_t matrices, int64_t clip, int64_t step, int64_t first, int64_t count,
                     float rate, float weight_decay) {
  AdafactorArguments a{rate, weight_decay};
  return LN_LAUNCH(of(device), adafactor, Grid{count, 1}, FactoredTile::kThreads,
                   FactoredTile::kSharedBytes, p, grad, row, column,
                   matrices + first * int64_t(sizeof(FactoredMatrix)), clip, step, a);
}

int ln_came_fwd(int64_t device, int64_t p, int64_t grad, int64_t m, int64_t row, int64_t column,
                int64_t residual_row, int64_t residual_column, int64_t matrices, int64_t clip,
                int64_t step, int64_t first, int64_t count, float rate, float beta1, float beta2,
                float beta3, float weight_decay) {
  CameArguments a{rate, beta1, beta2, beta3, weight_decay};
  return LN_LAUNCH(of(device), came, Grid{count, 1}, FactoredTile::kThreads,
                   FactoredTile::kSharedBytes, p, grad, m, row, column, residual_row,
                   residual_column, matrices + first * int64_t(sizeof(FactoredMatrix)), clip, step,
                   a);
}

}  // namespace cuda
}  // namespace ln

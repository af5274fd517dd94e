// Launchers of the gradient norm, AdamW and Lion.
#include "optimizer.h"

#include "cuda/launch.h"

namespace ln {
namespace cuda {

int64_t ln_global_norm_scratch(int64_t, int64_t n) { return cover(n, NormTile::kBlock).x * 8; }

int ln_global_norm_fwd(int64_t device, int64_t g, int64_t step, int64_t out, int64_t scratch,
                       int64_t n, float max_norm) {
  Grid blocks = cover(n, NormTile::kBlock);
  LN_TRY(LN_LAUNCH(of(device), norm_blocks, blocks, 256, 256 * 8, g, scratch, n));
  return LN_LAUNCH(of(device), norm_finish, Grid{}, 256, 256 * 8, scratch, step, out, blocks.x,
                   max_norm);
}

int ln_adamw_fwd(int64_t device, int64_t p, int64_t grad, int64_t m, int64_t v, int64_t clip,
                 int64_t step, int64_t n, float rate, float beta1, float beta2, float eps,
                 float weight_decay) {
  AdamWArguments a{rate, beta1, beta2, eps, weight_decay};
  return LN_LAUNCH(of(device), adamw, cover(n, 8 * 256), 256, 0, p, grad, m, v, clip, step, n, a);
}

int ln_adamw8bit_fwd(int64_t device, int64_t p, int64_t grad, int64_t m, int64_t v, int64_t m_scale,
                     int64_t v_scale, int64_t codes, int64_t clip, int64_t step, int64_t n,
                     float rate, float beta1, float beta2, float eps, float weight_decay) {
  AdamWArguments a{rate, beta1, beta2, eps, weight_decay};
  return LN_LAUNCH(of(device), adamw8bit, cover(n, 8 * MomentBlock::kThreads),
                   MomentBlock::kThreads, MomentBlock::kSharedBytes, p, grad, m, v, m_scale,
                   v_scale, codes, clip, step, n, a);
}

int ln_lion_fwd(int64_t device, int64_t p, int64_t grad, int64_t m, int64_t clip, int64_t step,
                int64_t n, float rate, float beta1, float beta2, float weight_decay) {
  LionArguments a{rate, beta1, beta2, weight_decay};
  return LN_LAUNCH(of(device), lion, cover(n, 8 * 256), 256, 0, p, grad, m, clip, step, n, a);
}

int ln_ema_fwd(int64_t device, int64_t p, int64_t average, int64_t clip, int64_t step, int64_t n,
               float share) {
  return LN_LAUNCH(of(device), ema, cover(n, 8 * 256), 256, 0, p, average, clip, step, n, share);
}

}  // namespace cuda
}  // namespace ln

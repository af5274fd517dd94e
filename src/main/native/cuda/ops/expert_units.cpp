// Launchers of what gpt-oss adds to experts and to attention.
#include "expert_units.h"

#include "composed/experts.h"
#include "cuda/launch.h"

namespace ln {
namespace cuda {

static constexpr unsigned kThreads = 256;

int ln_expert_bias_fwd(int64_t device, int64_t x, int64_t bias, int64_t chosen, int64_t order,
                       int64_t y, int64_t R, int64_t C, int32_t dtype) {
  return LN_LAUNCH_TYPED(of(device), dtype, expert_bias, cover(R * C, kThreads), kThreads, 0, x,
                         bias, chosen, order, y, R, C);
}

int ln_clamped_glu_fwd(int64_t device, int64_t gate, int64_t up, int64_t y, int64_t rows,
                       int64_t columns, int64_t pitch, int64_t step, float alpha, float limit,
                       int32_t dtype) {
  const ClampedGluArguments a{rows, columns, pitch, step, alpha, limit};
  return LN_LAUNCH_TYPED(of(device), dtype, clamped_glu_fwd, cover(rows * columns, kThreads),
                         kThreads, 0, gate, up, y, a);
}

int ln_clamped_glu_bwd(int64_t device, int64_t dy, int64_t gate, int64_t up, int64_t dgate,
                       int64_t dup, int64_t rows, int64_t columns, int64_t pitch, int64_t step,
                       float alpha, float limit, int32_t dtype) {
  const ClampedGluArguments a{rows, columns, pitch, step, alpha, limit};
  return LN_LAUNCH_TYPED(of(device), dtype, clamped_glu_bwd, cover(rows * columns, kThreads),
                         kThreads, 0, dy, gate, up, dgate, dup, a);
}

int look_at_sinks(Device* device, int64_t o, int64_t lse, int64_t sinks, int64_t M, int64_t heads,
                  int64_t D, int32_t dtype) {
  LN_TRY(LN_LAUNCH_TYPED(device, dtype, look_at_sinks, cover(M * heads * D, kThreads), kThreads, 0,
                         o, lse, sinks, M, heads, D));
  return LN_LAUNCH(device, count_sinks, cover(M * heads, kThreads), kThreads, 0, lse, sinks, M,
                   heads);
}

}  // namespace cuda
}  // namespace ln

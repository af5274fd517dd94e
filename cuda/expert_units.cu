// What gpt-oss adds to experts and to attention: biases of experts, its gated unit, sinks.
//
//   expert_bias       y[r] = x[r] + bias[e]
//   clamped_glu       g = min(gate, limit), u = up within -limit and limit:
//                     (u + 1) g sigmoid(alpha g)
//   look_at_sinks     o times the share of a softmax that stays when the sink's logit is added:
//                     sigmoid(lse - sink);                                      Xiao et al. 2023
//   count_sinks       lse + log(1 + e^(sink - lse))
//
// Bound by memory; a thread for a number.
#include "expert_units.h"
#include "logistic.cuh"

template <typename T>
LN_DEVICE void expert_bias(const T* x, const float* bias, const i32* chosen, const i32* order, T* y,
                           i64 R, i64 C) {
  const i64 i = global_thread();
  if (i >= R * C) return;
  store(y + i, load(x[i]) + bias[chosen[order[i / C]] * C + i % C]);
}

template <typename T>
LN_DEVICE void clamped_glu_fwd(const T* gate, const T* up, T* y, const ClampedGluArguments& a) {
  const i64 i = global_thread();
  if (i >= a.rows * a.columns) return;
  const i64 at = i / a.columns * a.pitch + i % a.columns * a.step;
  const float g = fminf(load(gate[at]), a.limit);
  const float u = fmaxf(fminf(load((up ? up : gate + 1)[at]), a.limit), -a.limit);
  store(y + i, (u + 1.0f) * g * sigmoid(a.alpha * g));
}

template <typename T>
LN_DEVICE void clamped_glu_bwd(const T* dy, const T* gate, const T* up, T* dgate, T* dup,
                               const ClampedGluArguments& a) {
  const i64 i = global_thread();
  if (i >= a.rows * a.columns) return;
  const i64 at = i / a.columns * a.pitch + i % a.columns * a.step;
  const float z = load(gate[at]), w = load((up ? up : gate + 1)[at]), d = load(dy[i]);
  const float g = fminf(z, a.limit), u = fmaxf(fminf(w, a.limit), -a.limit);
  const Logistic l(a.alpha * g);
  store(dgate + at, z > a.limit ? 0.0f : d * (u + 1.0f) * l.s * (1.0f + a.alpha * g * l.rest));
  store((dup ? dup : dgate + 1) + at, w > a.limit || w < -a.limit ? 0.0f : d * g * l.s);
}

template <typename T>
LN_DEVICE void look_at_sinks(T* o, const float* lse, const float* sinks, i64 M, i64 heads, i64 D) {
  const i64 i = global_thread();
  if (i >= M * heads * D) return;
  const i64 m = i / D / heads, head = i / D % heads;
  store(o + i, load(o[i]) * sigmoid(lse[head * M + m] - sinks[head]));
}

extern "C" __global__ void __launch_bounds__(256)
    count_sinks(float* lse, const float* sinks, i64 M, i64 heads) {
  const i64 i = global_thread();
  if (i >= heads * M) return;
  const float a = lse[i], b = sinks[i / M], most = fmaxf(a, b);
  lse[i] = most + logf(expf(a - most) + expf(b - most));
}

LN_INSTANCES((256), expert_bias,
             (const T* x, const float* bias, const i32* chosen, const i32* order, T* y, i64 R,
              i64 C),
             expert_bias(x, bias, chosen, order, y, R, C))
LN_INSTANCES((256), clamped_glu_fwd, (const T* gate, const T* up, T* y, ClampedGluArguments a),
             clamped_glu_fwd(gate, up, y, a))
LN_INSTANCES((256), clamped_glu_bwd,
             (const T* dy, const T* gate, const T* up, T* dgate, T* dup, ClampedGluArguments a),
             clamped_glu_bwd(dy, gate, up, dgate, dup, a))
LN_INSTANCES((256), look_at_sinks,
             (T * o, const float* lse, const float* sinks, i64 M, i64 heads, i64 D),
             look_at_sinks(o, lse, sinks, M, heads, D))
LN_KERNEL(count_sinks)

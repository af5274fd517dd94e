// The choice of experts by the sigmoid of each logit (DeepSeek-V3, GLM-4.5): a warp for a token.
//
//   sigmoid_route_fwd   s = sigmoid(logits); of the best groups the k experts of the largest s +
//                       bias, of equal ones the lower first; weights: scale s, over their sum
//   sigmoid_route_bwd   scale s (1 - s) (dw / sum - (sum of s dw) / sum^2), 0 for those not chosen
//
// A lane judges a group, then holds the choice that it has the number of. Sums over the chosen are
// warp sums, whose order is fixed.
#include "logistic.cuh"
#include "sigmoid_route.h"

// What counts in the choice; NaN less than all else, so that it is always k experts.
template <typename T>
LN_DEVICE float value_of(const T* z, const float* bias, i64 e) {
  const float v = sigmoid(load(z[e])) + (bias ? bias[e] : 0.0f);
  return v == v ? v : negative_infinity();
}

// Whether the group that has this lane's number is chosen from.
template <typename T>
LN_DEVICE bool own_group(const T* z, const float* bias, const SigmoidRouteArguments& r) {
  const i32 lane = i32(threadIdx.x) % 32, each = i32(r.E) / i32(r.groups);
  float first = negative_infinity(), second = negative_infinity();
  if (lane < r.groups)
    for (i32 e = lane * each; e < (lane + 1) * each; e++) {
      const float v = value_of(z, bias, e);
      second = fmaxf(second, fminf(first, v));
      first = fmaxf(first, v);
    }
  const float worth = each > 1 ? first + second : first;
  i32 better = 0;
  for (int x = 1; x < 32; x++) {
    const float other = __shfl_xor_sync(0xffffffffu, worth, x);
    const i32 its = lane ^ x;
    better += its < r.groups && (other > worth || (other == worth && its < lane));
  }
  return lane < r.groups && better < r.top_groups;
}

template <typename T>
LN_DEVICE void sigmoid_route_fwd(const T* logits, const float* bias, float* weights, i32* chosen,
                                 const SigmoidRouteArguments& r) {
  const i64 m = warp_row();
  if (m >= r.M) return;
  const i32 lane = i32(threadIdx.x % 32);
  const T* z = logits + m * r.E;
  const i32 each = i32(r.E) / i32(r.groups);  // narrow: a wide division is a call
  u32 groups = u32(own_group(z, bias, r)) << lane;
  for (int lanes = 16; lanes > 0; lanes >>= 1)
    groups |= __shfl_xor_sync(0xffffffffu, groups, lanes);
  float last = negative_infinity(), own = 0;
  i32 last_expert = -1, own_expert = 0;
  for (i32 j = 0; j < r.k; j++) {
    // The first, in the order of falling value and rising expert, behind the last one taken.
    float best = negative_infinity();
    i32 expert = i32(r.E);
    for (i32 e = lane; e < r.E; e += 32) {
      const float v = value_of(z, bias, e);
      const bool left = j == 0 || v < last || (v == last && e > last_expert);
      if ((groups >> (e / each) & 1) && left && (expert == r.E || v > best)) {
        best = v;
        expert = e;
      }
    }
    for (int lanes = 16; lanes > 0; lanes >>= 1) {
      const float other = __shfl_xor_sync(0xffffffffu, best, lanes);
      const i32 other_expert = __shfl_xor_sync(0xffffffffu, expert, lanes);
      const bool better = other_expert < r.E && (expert == r.E || other > best ||
                                                 (other == best && other_expert < expert));
      best = better ? other : best;
      expert = better ? other_expert : expert;
    }
    last = best;
    last_expert = expert;
    if (lane == j) {
      own_expert = expert;
      own = sigmoid(load(z[expert]));
    }
  }
  const float sum = warp_sum(lane < r.k ? own : 0.0f);
  if (lane >= r.k) return;
  chosen[m * r.k + lane] = own_expert;
  weights[m * r.k + lane] = own * (r.normalize ? r.scale / (sum + 1e-20f) : r.scale);
}

template <typename T>
LN_DEVICE void sigmoid_route_bwd(const float* dweights, const T* logits, const i32* chosen,
                                 T* dlogits, const SigmoidRouteArguments& r) {
  const i64 m = warp_row();
  if (m >= r.M) return;
  const i32 lane = i32(threadIdx.x % 32);
  const bool has = lane < r.k;
  const T* z = logits + m * r.E;
  const float s = has ? sigmoid(load(z[chosen[m * r.k + lane]])) : 0.0f;
  const float g = has ? dweights[m * r.k + lane] : 0.0f;
  const float sum = warp_sum(s), mean = warp_sum(s * g);
  for (i64 e = lane; e < r.E; e += 32) {
    float d = 0;
    for (i64 j = m * r.k; j < (m + 1) * r.k; j++)
      if (chosen[j] == e)
        d = (r.normalize ? (dweights[j] - mean / sum) / sum : dweights[j]) *
            Logistic(load(z[e])).slope();
    store(dlogits + m * r.E + e, r.scale * d);
  }
}

LN_INSTANCES((RouteTile::kThreads, 1), sigmoid_route_fwd,
             (const T* logits, const float* bias, float* weights, i32* chosen,
              SigmoidRouteArguments r),
             sigmoid_route_fwd(logits, bias, weights, chosen, r))
// At least one block at a time: left to itself ptxas aims at eight on sm_80, and spills.
LN_INSTANCES((RouteTile::kThreads, 1), sigmoid_route_bwd,
             (const float* dweights, const T* logits, const i32* chosen, T* dlogits,
              SigmoidRouteArguments r),
             sigmoid_route_bwd(dweights, logits, chosen, dlogits, r))

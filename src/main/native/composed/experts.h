// What the ops of mixtures share of a backend.
#pragma once
#include "composed/backend.h"

namespace ln {
namespace LN_ISA {

// The slots of chosen [slots] in the order of their experts, see ln_route_fwd.
int put_in_order(Device* device, int64_t chosen, int64_t order, int64_t place, int64_t offsets,
                 int64_t slots, int64_t E);

// y[r] = scale x[r] op(W[e]) (+ low_x[r] op(low_w[e])) (+ y[r] if accumulate) of rows sorted by
// expert, see ops/experts.h. x [R, K], y [R, N]; w is [E, N, K] if transposed, else [E, K, N].
struct ExpertGemm {
  int64_t R, E, N, K;
  int64_t x, w, offsets, y;
  bool transposed;
  int32_t w_dtype, dtype;
  float scale = 1;
  bool accumulate = false;
  // The low-rank pair, [R, rank] and as w [E, N, rank] or [E, rank, N], both of dtype.
  int64_t rank = 0, low_x = 0, low_w = 0;
  int64_t scratch = 0;  // ln_expert_linear_scratch bytes
};
int expert_gemm(Device* device, const ExpertGemm& g);

// d[e] [P, Q] f32 += the sum of p[r] q[r]^T over e's rows, in their order. Rows of p and q are
// p_pitch and q_pitch apart.
struct ExpertGradient {
  int64_t E, P, Q;
  int64_t p, p_pitch, q, q_pitch, offsets, d;
  int32_t dtype;
};
int expert_gradient(Device* device, const ExpertGradient& g);

// Lets each head look at its sink after all: o [M, heads, D] and lse [heads, M] of attention
// without become those of attention with.
int look_at_sinks(Device* device, int64_t o, int64_t lse, int64_t sinks, int64_t M, int64_t heads,
                  int64_t D, int32_t dtype);

}  // namespace LN_ISA
}  // namespace ln

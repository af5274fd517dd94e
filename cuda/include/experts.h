// Mixtures of experts: tiles and signatures.
#pragma once
#include "block_gemm.h"
#include "gemm.h"

// Words of eight bytes alone: padding would hold whatever lay there.
struct RouteArguments {
  i64 M, E, k, normalize;
};
struct RouteTile {
  static constexpr int kThreads = 256, kRows = kThreads / 32;
  static constexpr int kSharedBytes = 2 * kThreads * 4;
};
// A warp for a token.
LN_SIGNATURES(route_fwd, (const T* logits, float* weights, i32* chosen, RouteArguments r))
LN_SIGNATURES(route_bwd, (const float* dweights, const T* logits, const float* weights,
                          const i32* chosen, T* dlogits, RouteArguments r))
// A block for an expert.
LN_SIGNATURE route_order(const i32* chosen, i32* order, i32* place, i32* offsets, i64 slots, i64 E);

// A thread for eight numbers; combine_rows_weight a warp for a number.
LN_SIGNATURES(expert_rows,
              (const T* x, const i32* order, const float* weights, T* y, i64 R, i64 k, i64 C))
LN_SIGNATURES(combine_rows,
              (const T* x, const i32* place, const float* weights, T* y, i64 M, i64 k, i64 C))
LN_SIGNATURES(combine_rows_weight,
              (const T* dy, const T* x, const i32* place, float* dweights, i64 M, i64 k, i64 C))

// y [R, N] = scale (x [R, K] op(W[e]) + low_x [R, R] op(L[e])) (+ y), rows offsets[e] to
// offsets[e + 1] - 1 by expert e's matrices, which lie as [N, K] (nt) or [K, N] (nn), those of the
// low-rank pair likewise. gridDim.y: as many tiles of rows as there could be.
struct ExpertArguments {
  const void *x, *w, *low_x, *low_w;
  const i32* offsets;
  void* y;
  i64 E, N, K, R, b_transposed;
  i32 b_format, accumulate;
  float scale;
  i32 unused;
};
LN_SIGNATURES(expert_gemm, (ExpertArguments g))
LN_SIGNATURES_16_BIT(expert_gemm_nt, (ExpertArguments g))
LN_SIGNATURES_16_BIT(expert_gemm_nn, (ExpertArguments g))
#define LN_EXPERT_BLOCK_SIGNATURES(format, Format)                         \
  LN_SIGNATURES_16_BIT(expert_block_gemm_nt_##format, (ExpertArguments g)) \
  LN_SIGNATURES_16_BIT(expert_block_gemm_nn_##format, (ExpertArguments g))
LN_BLOCK_FORMATS(LN_EXPERT_BLOCK_SIGNATURES)

// d[e] [P, Q] += the sum over e's rows, in their order, of p[r] q[r]^T: the gradients of adapters.
// A block for a tile of an expert's matrix; gridDim.y: the tiles of rows of all experts.
struct ExpertGradientArguments {
  const void *p, *q;
  const i32* offsets;
  float* d;
  i64 E, P, Q, p_pitch, q_pitch;
};
LN_SIGNATURES(expert_gradient, (ExpertGradientArguments g))
LN_SIGNATURES_16_BIT(expert_gradient_tn, (ExpertGradientArguments g))

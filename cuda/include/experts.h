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

// y [R, N] = x [R, K] op(W[e]) (+ y), rows offsets[e] to offsets[e + 1] - 1 by expert e's matrix,
// which lies as [N, K] (nt) or [K, N] (nn). gridDim.y: as many tiles of rows as R could need.
struct ExpertArguments {
  const void* x;
  const void* w;
  const i32* offsets;
  void* y;
  i64 E, N, K, b_transposed;
  i32 b_format, accumulate;
};
LN_SIGNATURES(expert_gemm, (ExpertArguments g))
LN_SIGNATURES_16_BIT(expert_gemm_nt, (ExpertArguments g))
LN_SIGNATURES_16_BIT(expert_gemm_nn, (ExpertArguments g))
LN_SIGNATURES_16_BIT(expert_block_gemm_nt, (ExpertArguments g))
LN_SIGNATURES_16_BIT(expert_block_gemm_nn, (ExpertArguments g))

// The short convolution and the delta rule's gates: tiles and signatures.
#pragma once
#include "types.h"

// A thread has one channel of kTokens tokens that follow one another.
struct ShortConvTile {
  static constexpr int kThreads = 128, kTokens = 8;
};
struct ShortConvArguments {
  i64 M, C, K;
};
LN_SIGNATURES(short_conv_fwd,
              (const T* x, const float* w, const i32* doc_start, T* y, ShortConvArguments a))
LN_SIGNATURES(short_conv_bwd, (const T* dy, const T* x, const float* w, const i32* doc_start, T* dx,
                               ShortConvArguments a))
// A thread for a channel.
LN_SIGNATURES(cached_short_conv, (const T* x, const float* w, const i32* start, const i32* count,
                                  T* tail, T* y, ShortConvArguments a))

// A thread for a head of a token; n = M H.
LN_SIGNATURES(delta_gates_fwd, (const T* a, const T* b, const float* a_log, const float* dt_bias,
                                float* g, float* beta, i64 n, i64 H))
LN_SIGNATURES(delta_gates_bwd,
              (const float* dg, const float* dbeta, const T* a, const T* b, const float* a_log,
               const float* dt_bias, T* da, T* db, i64 n, i64 H))

// What gpt-oss adds to experts: signatures. A thread for a number.
#pragma once
#include "types.h"

LN_SIGNATURES(expert_bias, (const T* x, const float* bias, const i32* chosen, const i32* order,
                            T* y, i64 R, i64 C))

struct ClampedGluArguments {
  i64 rows, columns, pitch, step;
  float alpha, limit;
};
LN_SIGNATURES(clamped_glu_fwd, (const T* gate, const T* up, T* y, ClampedGluArguments a))
LN_SIGNATURES(clamped_glu_bwd,
              (const T* dy, const T* gate, const T* up, T* dgate, T* dup, ClampedGluArguments a))

// o [M, heads, D] and lse [heads, M] of attention without sinks become those with: a thread for a
// number of o, and for each query and head one.
LN_SIGNATURES(look_at_sinks, (T * o, const float* lse, const float* sinks, i64 M, i64 heads, i64 D))
LN_SIGNATURE count_sinks(float* lse, const float* sinks, i64 M, i64 heads);

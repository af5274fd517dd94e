// What LoHa and LoKr add to a weight: signatures.
#pragma once
#include "types.h"

// A Kronecker product's sizes: D [out_l out_k, taps, in_m in_n] = w1 [out_l, in_m] (x) w2 [out_k,
// taps, in_n].
struct KroneckerArguments {
  i64 out_l, out_k, in_m, in_n, taps;
  float scale;
};
struct KroneckerTile {
  static constexpr int kThreads = 128, kSharedBytes = kThreads * 8;
};
LN_SIGNATURES(hadamard, (const float* p1, const float* p2, T* d, i64 n, float scale))
LN_SIGNATURE hadamard_bwd(const float* dd, float* p1, float* p2, i64 n, float scale);
LN_SIGNATURES(kronecker, (const float* w1, const float* w2, T* d, KroneckerArguments k))
LN_SIGNATURE kronecker_first(const float* dd, const float* w2, float* dw1, KroneckerArguments k);
LN_SIGNATURE kronecker_second(const float* dd, const float* w1, float* dw2, KroneckerArguments k,
                              i32 accumulate);

// T5's attention: signatures.
#pragma once
#include "types.h"

// A warp for a query and head; a block's warps share nothing but the launch.
struct BiasedTile {
  static constexpr int kWarps = 4, kThreads = kWarps * 32;
  static constexpr i64 kMostTokens = 1024, kMostWidth = 256;

  // Scores of each warp's query.
  static constexpr unsigned shared_bytes(i64 tokens) { return unsigned(kWarps * tokens * 4); }
};
LN_SIGNATURES(biased_attention, (const T* q, const T* k, const T* v, const T* bias,
                                 const i32* padding, T* o, i64 rows, i64 tokens, i64 heads, i64 D))

// A trained embedding: signatures.
#pragma once
#include "types.h"

// Threads of a block that adds one row, 8 columns each.
struct TrainedRows {
  static constexpr int kThreads = 256;
  static constexpr int kSharedBytes = kThreads / 32 * 4;
};
LN_SIGNATURES_16_BIT(trained_embedding,
                     (const i32* ids, const float* w, T* y, i64 M, i64 C, float scale))
LN_SIGNATURES(embedding_weight_bwd,
              (const T* dy, const i32* ids, float* dw, i64 M, i64 C, float scale))

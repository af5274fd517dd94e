// The gated delta rule: tiles and signatures.
#pragma once
#include "types.h"

struct DeltaTile {
  // Tokens between the states that are kept, and the widest head: LN_DELTA_CHUNK, LN_DELTA_WIDEST.
  static constexpr int kChunk = 64, kWidest = 128;
  // Walking: a warp has kColumns columns of a state, eight side by side in each quarter of its
  // lanes, and a lane kRows of the rows of one column. Tokens come into shared memory kStage at a
  // time, and into the state kTogether.
  static constexpr int kWarps = 4, kThreads = 32 * kWarps, kColumns = 8 * kWarps;
  static constexpr int kRows = kWidest / 4, kStage = 16, kTogether = 4;
  static constexpr int kSharedBytes = kStage * (2 * kWidest + 2 * kColumns + 3 + kTogether) * 4;

  static constexpr i64 chunks(i64 M) { return (M + kChunk - 1) / kChunk; }
  static constexpr i64 tiles(i64 V) { return (V + kColumns - 1) / kColumns; }
};
// What the tokens of a chunk are to one another: 64 rows by 128 (or 64) columns of 256 threads, in
// steps of kSlab.
struct DeltaPairs {
  static constexpr int kThreads = 256, kSlab = 16, kPitch = DeltaTile::kChunk + 1;
  static constexpr int kLeft = 68, kRight = 132;
  static constexpr int kSharedBytes =
      (2 * DeltaTile::kChunk * kPitch + kSlab * (kLeft + kRight) + 5 * DeltaTile::kChunk) * 4 +
      DeltaTile::kChunk * 8;
};

// Read from shared memory at once.
struct alignas(16) Four {
  float x[4];
};

// Words of eight bytes alone: padding would hold whatever lay there.
struct DeltaArguments {
  i64 M, key_heads, heads, K, V;
};
// What backward makes on its way: u and y [M, heads, V], gradients of the kept states.
struct DeltaScratch {
  float *u, *y, *dstates;
};

// Blocks: (heads * tiles(V), chunks(M)); each walks over the documents that begin in its chunk.
LN_SIGNATURES(delta_rule_fwd,
              (const T* q, const T* k, const T* v, const float* g, const float* beta,
               const i32* doc_start, T* o, float* states, DeltaArguments a))
// u of each token again, chunk by chunk.
LN_SIGNATURES(delta_rule_again,
              (const T* k, const T* v, const float* g, const float* beta, const i32* doc_start,
               const float* states, float* u, DeltaArguments a))
// dv and y from the last token of each document that ends in a block's chunk back to its first.
LN_SIGNATURES(delta_rule_back,
              (const T* dout, const T* q, const T* k, const float* g, const float* beta,
               const i32* doc_start, T* dv, float* y, float* dstates, DeltaArguments a))
// dq, dk, dg and dbeta. Blocks: (chunks(M), key_heads).
LN_SIGNATURES(delta_rule_pairs,
              (const T* dout, const T* q, const T* k, const float* g, const float* beta,
               const i32* doc_start, const float* states, DeltaScratch s, T* dq, T* dk, float* dg,
               float* dbeta, DeltaArguments a))
// Blocks: heads * tiles(V). M tokens, of which *count are real.
LN_SIGNATURES(cached_delta_rule,
              (const T* q, const T* k, const T* v, const float* g, const float* beta,
               const i32* start, const i32* count, float* state, T* o, DeltaArguments a))

// The gated delta rule (Yang et al. 2024, eq. 10), walked token by token:
//
//   S' = a S,  u = v - S'^T k,  S = S' + k (beta u)^T,  o = S^T q          a = exp(g)
//
// A warp walks with eight columns of S, a lane with a quarter of the rows of one: nothing but the
// sums over rows passes between lanes, and blocks share nothing. A document is walked by the block
// whose chunk it begins in, and S is kept at each border of chunks that it crosses.
//
// Backward: u of all chunks at once (delta_rule_again); from each document's end back, with dS the
// gradient of S after a token (delta_rule_back),
//   dS += q do^T,  y = dS^T k,  dv = beta y,  dS = a (dS - k (beta y)^T)
// and the rest again for all chunks at once (delta_pairs.cu).
#include "gated_delta.h"
#include "gpu.cuh"

// The tokens that are in shared memory, a head's part of them.
struct DeltaStage {
  float *q, *k, *v, *o, *g, *beta;
  i32* doc_start;

  LN_DEVICE explicit DeltaStage(float* shared)
      : q(shared),
        k(q + DeltaTile::kStage * DeltaTile::kWidest),
        v(k + DeltaTile::kStage * DeltaTile::kWidest),
        o(v + DeltaTile::kStage * DeltaTile::kColumns),
        g(o + DeltaTile::kStage * DeltaTile::kColumns),
        beta(g + DeltaTile::kStage),
        doc_start(reinterpret_cast<i32*>(beta + DeltaTile::kStage)) {}
};

// A block's columns of one head's state, and its place in them.
struct DeltaWalk {
  DeltaArguments a;
  DeltaStage at;
  i64 head, key_head, column0, column;
  i32 quarter;  // of the rows
  float S[DeltaTile::kRows];

  LN_DEVICE DeltaWalk(const DeltaArguments& arguments, float* shared) : a(arguments), at(shared) {
    const i64 tiles = DeltaTile::tiles(a.V);
    head = i64(blockIdx.x) / tiles;
    key_head = head / (a.heads / a.key_heads);
    column0 = i64(blockIdx.x) % tiles * DeltaTile::kColumns;
    column = i64(threadIdx.x) / 32 * 8 + threadIdx.x % 8;
    quarter = i32(threadIdx.x) % 32 / 8;
    clear();
  }

  LN_DEVICE bool has_column() const { return column0 + column < a.V; }
  LN_DEVICE void clear() {
#pragma unroll
    for (int i = 0; i < DeltaTile::kRows; i++) S[i] = 0;
  }
  // The row of S[4 n + e].
  LN_DEVICE i32 row(int n, int e) const { return 4 * (quarter + 4 * n) + e; }

  // Between S and a head's state [K, V] in memory.
  template <bool READS, typename M>
  LN_DEVICE void move(M* states) {
    if (!has_column()) return;
    M* own = states + head * a.K * a.V + column0 + column;
    // Narrow, since these numbers stay in registers while tokens are walked.
    const i32 K = i32(a.K), V = i32(a.V);
#pragma unroll
    for (int i = 0; i < DeltaTile::kRows; i++) {
      const i32 r = row(i / 4, i % 4);
      if (r >= K) continue;
      if constexpr (READS)
        S[i] = own[r * V];
      else
        own[r * V] = S[i];
    }
  }

  template <typename T>
  LN_DEVICE void stage_keys(float* to, const T* x, i64 first, i32 count) {
    for (i32 i = i32(threadIdx.x); i < count * DeltaTile::kWidest; i += DeltaTile::kThreads) {
      const i64 m = first + i / DeltaTile::kWidest, c = i % DeltaTile::kWidest;
      to[i] = c < a.K ? load(x[(m * a.key_heads + key_head) * a.K + c]) : 0.0f;
    }
  }
  template <typename T>
  LN_DEVICE void stage_values(float* to, const T* x, i64 first, i32 count) {
    for (i32 i = i32(threadIdx.x); i < count * DeltaTile::kColumns; i += DeltaTile::kThreads) {
      const i64 m = first + i / DeltaTile::kColumns, c = column0 + i % DeltaTile::kColumns;
      to[i] = c < a.V ? load(x[(m * a.heads + head) * a.V + c]) : 0.0f;
    }
  }
  // doc_start may be absent; `shift` 1 gives that of the tokens behind.
  LN_DEVICE void stage_gates(const float* g, const float* beta, const i32* doc_start, i64 first,
                             i32 count, i32 shift) {
    const i32 n = i32(threadIdx.x);
    if (n >= count) return;
    at.g[n] = expf(g[(first + n) * a.heads + head]);
    at.beta[n] = beta[(first + n) * a.heads + head];
    const i64 m = first + n + shift;
    at.doc_start[n] = doc_start && m < a.M ? doc_start[m] : i32(m);
  }

  // Sum over the four quarters.
  LN_DEVICE float over_rows(float x) const {
    x += __shfl_xor_sync(0xffffffffu, x, 8);
    return x + __shfl_xor_sync(0xffffffffu, x, 16);
  }

  // One staged token on: S becomes S', and u is returned; after learn(), S is the new state.
  LN_DEVICE float forget(i32 n) {
    const Four* k = reinterpret_cast<const Four*>(at.k + n * DeltaTile::kWidest) + quarter;
    const float by = at.g[n];
    float read = 0;
#pragma unroll
    for (int i = 0; i < DeltaTile::kRows / 4; i++) {
      const Four x = k[4 * i];
#pragma unroll
      for (int e = 0; e < 4; e++) {
        S[4 * i + e] *= by;
        read += x.x[e] * S[4 * i + e];
      }
    }
    return at.v[n * DeltaTile::kColumns + column] - over_rows(read);
  }
  LN_DEVICE void learn(i32 n, float delta) {
    const Four* k = reinterpret_cast<const Four*>(at.k + n * DeltaTile::kWidest) + quarter;
#pragma unroll
    for (int i = 0; i < DeltaTile::kRows / 4; i++) {
      const Four x = k[4 * i];
#pragma unroll
      for (int e = 0; e < 4; e++) S[4 * i + e] += x.x[e] * delta;
    }
  }
  LN_DEVICE float ask(i32 n) const {
    const Four* q = reinterpret_cast<const Four*>(at.q + n * DeltaTile::kWidest) + quarter;
    float read = 0;
#pragma unroll
    for (int i = 0; i < DeltaTile::kRows / 4; i++) {
      const Four x = q[4 * i];
#pragma unroll
      for (int e = 0; e < 4; e++) read += x.x[e] * S[4 * i + e];
    }
    return over_rows(read);
  }

  // The place of this lane's column of token m, if it is the lane that writes it.
  template <typename T>
  LN_DEVICE void put(T* y, i64 m, float x) const {
    if (quarter == 0 && has_column()) store(y + (m * a.heads + head) * a.V + column0 + column, x);
  }
};

// Of a chunk's tokens, the first that begins a document; `end` if there is none.
LN_DEVICE i64 first_start(const i32* doc_start, i64 m, i64 end) {
  while (m < end && doc_start[m] != m) m++;
  return m;
}

template <typename T>
LN_DEVICE void delta_rule_fwd(const T* q, const T* k, const T* v, const float* g, const float* beta,
                              const i32* doc_start, T* o, float* states, const DeltaArguments& a,
                              float* shared) {
  DeltaWalk walk(a, shared);
  const i64 chunk = i64(blockIdx.y) * DeltaTile::kChunk, next = chunk + DeltaTile::kChunk;
  const i64 end = next < a.M ? next : a.M, first = first_start(doc_start, chunk, end);
  if (first == end) return;
  for (i64 base = first; base < a.M; base += DeltaTile::kStage) {
    const i32 count = i32(a.M - base < DeltaTile::kStage ? a.M - base : DeltaTile::kStage);
    __syncthreads();
    walk.stage_keys(walk.at.q, q, base, count);
    walk.stage_keys(walk.at.k, k, base, count);
    walk.stage_values(walk.at.v, v, base, count);
    walk.stage_gates(g, beta, doc_start, base, count, 0);
    __syncthreads();
#pragma unroll 1
    for (i32 n = 0; n < count; n++) {
      const i64 m = base + n;
      if (walk.at.doc_start[n] == m) {
        if (m >= end) return;
        walk.clear();
      } else if (m % DeltaTile::kChunk == 0) {
        walk.template move<false>(states + m / DeltaTile::kChunk * a.heads * a.K * a.V);
      }
      walk.learn(n, walk.at.beta[n] * walk.forget(n));
      walk.put(o, m, walk.ask(n));
    }
  }
}

template <typename T>
LN_DEVICE void cached_delta_rule(const T* q, const T* k, const T* v, const float* g,
                                 const float* beta, const i32* start, const i32* count,
                                 float* state, T* o, const DeltaArguments& a, float* shared) {
  DeltaWalk walk(a, shared);
  const i64 real = *count;
  if (*start > 0) walk.template move<true>(state);
  for (i64 base = 0; base < real; base += DeltaTile::kStage) {
    const i32 tokens = i32(real - base < DeltaTile::kStage ? real - base : DeltaTile::kStage);
    __syncthreads();
    walk.stage_keys(walk.at.q, q, base, tokens);
    walk.stage_keys(walk.at.k, k, base, tokens);
    walk.stage_values(walk.at.v, v, base, tokens);
    walk.stage_gates(g, beta, nullptr, base, tokens, 0);
    __syncthreads();
#pragma unroll 1
    for (i32 n = 0; n < tokens; n++) {
      walk.learn(n, walk.at.beta[n] * walk.forget(n));
      walk.put(o, base + n, walk.ask(n));
    }
  }
  for (i64 m = real; m < a.M; m++) walk.put(o, m, 0.0f);
  walk.template move<false>(state);
}

template <typename T>
LN_DEVICE void delta_rule_again(const T* k, const T* v, const float* g, const float* beta,
                                const i32* doc_start, const float* states, float* u,
                                const DeltaArguments& a, float* shared) {
  DeltaWalk walk(a, shared);
  const i64 chunk = i64(blockIdx.y) * DeltaTile::kChunk, next = chunk + DeltaTile::kChunk;
  const i64 end = next < a.M ? next : a.M;
  if (doc_start[chunk] != chunk)
    walk.template move<true>(states + i64(blockIdx.y) * a.heads * a.K * a.V);
  for (i64 base = chunk; base < end; base += DeltaTile::kStage) {
    const i32 count = i32(end - base < DeltaTile::kStage ? end - base : DeltaTile::kStage);
    __syncthreads();
    walk.stage_keys(walk.at.k, k, base, count);
    walk.stage_values(walk.at.v, v, base, count);
    walk.stage_gates(g, beta, doc_start, base, count, 0);
    __syncthreads();
#pragma unroll 1
    for (i32 n = 0; n < count; n++) {
      if (walk.at.doc_start[n] == base + n) walk.clear();
      const float correction = walk.forget(n);
      walk.learn(n, walk.at.beta[n] * correction);
      walk.put(u, base + n, correction);
    }
  }
}

template <typename T>
LN_DEVICE void delta_rule_back(const T* dout, const T* q, const T* k, const float* g,
                               const float* beta, const i32* doc_start, T* dv, float* y,
                               float* dstates, const DeltaArguments& a, float* shared) {
  DeltaWalk walk(a, shared);
  const i64 chunk = i64(blockIdx.y) * DeltaTile::kChunk, next = chunk + DeltaTile::kChunk;
  // The last token of the chunk that ends a document.
  i64 last = (next < a.M ? next : a.M) - 1;
  while (last >= chunk && last + 1 < a.M && doc_start[last + 1] != last + 1) last--;
  if (last < chunk) return;
  for (i64 top = last + 1; top > 0; top -= DeltaTile::kStage) {
    const i32 count = i32(top < DeltaTile::kStage ? top : DeltaTile::kStage);
    const i64 base = top - count;
    __syncthreads();
    walk.stage_keys(walk.at.q, q, base, count);
    walk.stage_keys(walk.at.k, k, base, count);
    walk.stage_values(walk.at.o, dout, base, count);
    walk.stage_gates(g, beta, doc_start, base, count, 1);
    __syncthreads();
#pragma unroll 1
    for (i32 n = count - 1; n >= 0; n--) {
      const i64 m = base + n;
      if (walk.at.doc_start[n] == m + 1) {
        if (m < chunk) return;
        walk.clear();
      } else if ((m + 1) % DeltaTile::kChunk == 0) {
        walk.template move<false>(dstates + (m + 1) / DeltaTile::kChunk * a.heads * a.K * a.V);
      }
      const Four* qs = reinterpret_cast<const Four*>(walk.at.q + n * DeltaTile::kWidest);
      const Four* ks = reinterpret_cast<const Four*>(walk.at.k + n * DeltaTile::kWidest);
      const float d = walk.at.o[n * DeltaTile::kColumns + walk.column];
      float sum = 0;
#pragma unroll
      for (int i = 0; i < DeltaTile::kRows / 4; i++) {
        const Four by_q = qs[walk.quarter + 4 * i], by_k = ks[walk.quarter + 4 * i];
#pragma unroll
        for (int e = 0; e < 4; e++) {
          walk.S[4 * i + e] += by_q.x[e] * d;
          sum += by_k.x[e] * walk.S[4 * i + e];
        }
      }
      sum = walk.over_rows(sum);
      walk.put(y, m, sum);
      const float value = walk.at.beta[n] * sum;
      walk.put(dv, m, value);
      walk.learn(n, -value);
#pragma unroll
      for (int i = 0; i < DeltaTile::kRows; i++) walk.S[i] *= walk.at.g[n];
    }
  }
}

LN_INSTANCES((DeltaTile::kThreads), delta_rule_fwd,
             (const T* q, const T* k, const T* v, const float* g, const float* beta,
              const i32* doc_start, T* o, float* states, DeltaArguments a),
             LN_DYNAMIC_SHARED(float, shared);
             delta_rule_fwd(q, k, v, g, beta, doc_start, o, states, a, shared))
LN_INSTANCES((DeltaTile::kThreads), delta_rule_again,
             (const T* k, const T* v, const float* g, const float* beta, const i32* doc_start,
              const float* states, float* u, DeltaArguments a),
             LN_DYNAMIC_SHARED(float, shared);
             delta_rule_again(k, v, g, beta, doc_start, states, u, a, shared))
LN_INSTANCES((DeltaTile::kThreads), delta_rule_back,
             (const T* dout, const T* q, const T* k, const float* g, const float* beta,
              const i32* doc_start, T* dv, float* y, float* dstates, DeltaArguments a),
             LN_DYNAMIC_SHARED(float, shared);
             delta_rule_back(dout, q, k, g, beta, doc_start, dv, y, dstates, a, shared))
LN_INSTANCES((DeltaTile::kThreads), cached_delta_rule,
             (const T* q, const T* k, const T* v, const float* g, const float* beta,
              const i32* start, const i32* count, float* state, T* o, DeltaArguments a),
             LN_DYNAMIC_SHARED(float, shared);
             cached_delta_rule(q, k, v, g, beta, start, count, state, o, a, shared))

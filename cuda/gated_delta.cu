// The gated delta rule (Yang et al. 2024, eq. 10), walked four tokens at a time:
//
//   S' = a S,  u = v - S'^T k,  S = S' + k (beta u)^T,  o = S^T q          a = exp(g)
//
// With S0 the state before the four, d[t, s] the product of a behind s up to t (0 where a document
// begins between them), e_t that from the first on, and D = beta u:
//   u_t = v_t - e_t S0^T k_t - sum over s < t of d[t, s] (k_t . k_s) D_s
//   o_t = e_t S0^T q_t + sum over s <= t of d[t, s] (q_t . k_s) D_s
//   S   = e_3 S0 + sum over s of d[3, s] k_s D_s^T
// so that S is read, summed over and written once for four tokens.
//
// A warp walks with eight columns of S, a lane with a quarter of the rows of one: nothing but the
// sums over rows passes between lanes, and blocks share nothing. A document is walked by the block
// whose chunk it begins in, and S is kept at each border of chunks that it crosses.
//
// A long document is bound by the order of its tokens: by the stalls that ptxas wrote, and 25 to 30
// cycles for what comes from shared memory or another lane, a warp takes 210 (8.6, 9.0) to 270
// cycles (8.0) for a token, 530 to 550 with tokens one by one. Many documents are bound by f32
// multiplications, 3.25 for a row, column and token (4 one by one). Chunks of 64 by products in f32
// would need 3 with the state and more than 1 among tokens, and an order of chunks instead: no
// fewer. On tensor cores f32's digits would take operands in two parts.
//
// Backward: u of all chunks at once (delta_rule_again); from each document's end back, with dS the
// gradient of S after a token (delta_rule_back),
//   dS += q do^T,  y = dS^T k,  dv = beta y,  dS = a (dS - k (beta y)^T)
// and the rest again for all chunks at once (delta_pairs.cu).
#include "gated_delta.h"
#include "gpu.cuh"

// The tokens that are in shared memory, a head's part of them.
struct DeltaStage {
  float *q, *k, *v, *o, *a, *beta;
  i32* doc_start;
  float* pairs;  // [tokens, kTogether], see DeltaWalk::pair

  LN_DEVICE explicit DeltaStage(float* shared)
      : q(shared),
        k(q + DeltaTile::kStage * DeltaTile::kWidest),
        v(k + DeltaTile::kStage * DeltaTile::kWidest),
        o(v + DeltaTile::kStage * DeltaTile::kColumns),
        a(o + DeltaTile::kStage * DeltaTile::kColumns),
        beta(a + DeltaTile::kStage),
        doc_start(reinterpret_cast<i32*>(beta + DeltaTile::kStage)),
        pairs(reinterpret_cast<float*>(doc_start + DeltaTile::kStage)) {}
};

// A block's columns of one head's state, and its place in them.
struct DeltaWalk {
  static constexpr int kTogether = DeltaTile::kTogether;

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
    const i32 K = i32(a.K);
    // From row to row, lest all their places stay in registers while tokens are walked.
    M* own = states + (head * a.K + row(0, 0)) * a.V + column0 + column;
#pragma unroll
    for (int i = 0; i < DeltaTile::kRows; i++) {
      if (row(i / 4, i % 4) < K) {
        if constexpr (READS)
          S[i] = *own;
        else
          *own = S[i];
      }
      own += i % 4 == 3 ? 13 * a.V : a.V;
    }
  }

  // Rows [from, to) of a stage whose first token is `first`; the others are 0.
  template <typename T>
  LN_DEVICE void stage_keys(float* rows, const T* x, i64 first, i32 from, i32 to) {
    static_assert(DeltaTile::kThreads == DeltaTile::kWidest, "a thread has a channel");
    const i32 row = i32(a.key_heads * a.K), c = i32(threadIdx.x);
    const T* own = x + first * row + key_head * a.K + c;
#pragma unroll 4
    for (i32 n = 0; n < DeltaTile::kStage; n++)
      rows[n * DeltaTile::kWidest + c] = n >= from && n < to && c < a.K ? load(own[n * row]) : 0.0f;
  }
  template <typename T>
  LN_DEVICE void stage_values(float* rows, const T* x, i64 first, i32 from, i32 to) {
    const i32 row = i32(a.heads * a.V), c = i32(threadIdx.x) % DeltaTile::kColumns;
    const T* own = x + first * row + head * a.V + column0 + c;
#pragma unroll 4
    for (i32 n = i32(threadIdx.x) / DeltaTile::kColumns; n < DeltaTile::kStage;
         n += DeltaTile::kWarps)
      rows[n * DeltaTile::kColumns + c] =
          n >= from && n < to && column0 + c < a.V ? load(own[n * row]) : 0.0f;
  }
  // doc_start may be absent; `shift` 1 gives that of the tokens behind.
  LN_DEVICE void stage_gates(const float* g, const float* beta, const i32* doc_start, i64 first,
                             i32 from, i32 to, i32 shift) {
    const i32 n = i32(threadIdx.x);
    if (n >= DeltaTile::kStage) return;
    const bool has = n >= from && n < to;
    at.a[n] = has ? expf(g[(first + n) * a.heads + head]) : 1.0f;
    at.beta[n] = has ? beta[(first + n) * a.heads + head] : 0.0f;
    const i64 m = first + n + shift;
    at.doc_start[n] = has && doc_start && m < a.M ? doc_start[m] : i32(m);
  }

  // Sum over the four quarters.
  LN_DEVICE float over_rows(float x) const {
    x += __shfl_xor_sync(0xffffffffu, x, 8);
    return x + __shfl_xor_sync(0xffffffffu, x, 16);
  }
  // The same of four numbers, of which each quarter gets its own.
  LN_DEVICE float own_over_rows(const float (&x)[kTogether]) const {
    const bool odd = quarter % 2 != 0, high = quarter >= 2;
    float y[2];
#pragma unroll
    for (int i = 0; i < 2; i++)
      y[i] = (odd ? x[2 * i + 1] : x[2 * i]) +
             __shfl_xor_sync(0xffffffffu, odd ? x[2 * i] : x[2 * i + 1], 8);
    return (high ? y[1] : y[0]) + __shfl_xor_sync(0xffffffffu, high ? y[0] : y[1], 16);
  }

  // Stages tokens for advance(), where a document begins with a = 0. Without q there is no o.
  template <typename T>
  LN_DEVICE void stage(const T* q, const T* k, const T* v, const float* g, const float* beta,
                       const i32* doc_start, i64 first, i32 from, i32 to) {
    __syncthreads();
    if (q) stage_keys(at.q, q, first, from, to);
    stage_keys(at.k, k, first, from, to);
    stage_values(at.v, v, first, from, to);
    stage_gates(g, beta, doc_start, first, from, to, 0);
    if (doc_start && i32(threadIdx.x) < DeltaTile::kStage &&
        at.doc_start[threadIdx.x] == first + threadIdx.x)
      at.a[threadIdx.x] = 0;
    __syncthreads();
    pair(q ? at.q : at.k);
    __syncthreads();
  }

  template <int HALF>
  LN_DEVICE static void halve(float (&x)[kTogether * kTogether], i32 lane) {
    const bool high = (lane & 2 * HALF) != 0;
#pragma unroll
    for (int i = 0; i < HALF; i++)
      x[i] = (high ? x[i + HALF] : x[i]) +
             __shfl_xor_sync(0xffffffffu, high ? x[i] : x[i + HALF], 2 * HALF);
  }

  // Of a warp's four staged tokens: pairs[t, s] = d[t, s] q_t . k_s where s <= t, else d[s, t] k_s
  // . k_t.
  LN_DEVICE void pair(const float* queries) {
    static_assert(kTogether * DeltaTile::kWarps == DeltaTile::kStage &&
                      DeltaTile::kWidest == 4 * 32 && kTogether * kTogether == 16,
                  "a warp has four tokens, a lane four channels, two lanes a pair");
    const i32 lane = i32(threadIdx.x) % 32, first = i32(threadIdx.x) / 32 * kTogether;
    Four k[kTogether];
    float x[kTogether * kTogether];
#pragma unroll
    for (int t = 0; t < kTogether; t++)
      k[t] = reinterpret_cast<const Four*>(at.k + (first + t) * DeltaTile::kWidest)[lane];
#pragma unroll
    for (int t = 0; t < kTogether; t++) {
      const Four q =
          reinterpret_cast<const Four*>(queries + (first + t) * DeltaTile::kWidest)[lane];
#pragma unroll
      for (int s = 0; s < kTogether; s++) {
        const Four left = s <= t ? q : k[t];
        x[kTogether * t + s] = left.x[0] * k[s].x[0] + left.x[1] * k[s].x[1] +
                               left.x[2] * k[s].x[2] + left.x[3] * k[s].x[3];
      }
    }
    // Of two lanes, each takes half of the sums; in the end two lanes have one.
    halve<8>(x, lane);
    halve<4>(x, lane);
    halve<2>(x, lane);
    halve<1>(x, lane);
    x[0] += __shfl_xor_sync(0xffffffffu, x[0], 1);
    if (lane % 2) return;
    const i32 row = lane / 2 / kTogether, column = lane / 2 % kTogether;
    const i32 early = row < column ? row : column, late = row < column ? column : row;
    for (i32 t = early + 1; t <= late; t++) x[0] *= at.a[first + t];
    at.pairs[first * kTogether + lane / 2] = x[0];
  }

  // Four staged tokens on, from token n. Leaves u and o of this lane's token, n + quarter.
  template <bool ASKS>
  LN_DEVICE void advance(i32 n, float* u_own, float* o_own) {
    const Four* k = reinterpret_cast<const Four*>(at.k + n * DeltaTile::kWidest) + quarter;
    const Four* q = reinterpret_cast<const Four*>(at.q + n * DeltaTile::kWidest) + quarter;
    constexpr int kRow = DeltaTile::kWidest / 4;
    float read[kTogether] = {}, asked[kTogether] = {};
#pragma unroll
    for (int i = 0; i < DeltaTile::kRows / 4; i++)
#pragma unroll
      for (int t = 0; t < kTogether; t++) {
        const Four x = k[t * kRow + 4 * i];
#pragma unroll
        for (int e = 0; e < 4; e++) read[t] += x.x[e] * S[4 * i + e];
        if (!ASKS) continue;
        const Four y = q[t * kRow + 4 * i];
#pragma unroll
        for (int e = 0; e < 4; e++) asked[t] += y.x[e] * S[4 * i + e];
      }
    const Four* pairs = reinterpret_cast<const Four*>(at.pairs + n * kTogether);
    float u[kTogether], delta[kTogether], since = 1, since_own = 0;
#pragma unroll
    for (int t = 0; t < kTogether; t++) {
      since *= at.a[n + t];
      if (t == quarter) since_own = since;
      const float before = over_rows(read[t]);
      u[t] = at.v[(n + t) * DeltaTile::kColumns + column] - since * before;
#pragma unroll
      for (int s = 0; s < t; s++) u[t] -= pairs[s].x[t] * delta[s];
      delta[t] = at.beta[n + t] * u[t];
    }
    *u_own = own(u);
    if (ASKS) {
      float o = since_own * own_over_rows(asked);
      const Four p = pairs[quarter];
#pragma unroll
      for (int s = 0; s < kTogether; s++)
        if (s <= quarter) o += p.x[s] * delta[s];
      *o_own = o;
    }
    float until = 1;
#pragma unroll
    for (int t = kTogether - 1; t >= 0; t--) {
      delta[t] *= until;
      until *= at.a[n + t];
    }
    __syncwarp();  // lest all of k stays in registers from above
#pragma unroll
    for (int i = 0; i < DeltaTile::kRows; i++) S[i] *= since;
#pragma unroll
    for (int i = 0; i < DeltaTile::kRows / 4; i++)
#pragma unroll
      for (int t = 0; t < kTogether; t++) {
        const Four x = k[t * kRow + 4 * i];
#pragma unroll
        for (int e = 0; e < 4; e++) S[4 * i + e] += x.x[e] * delta[t];
      }
  }
  LN_DEVICE float own(const float (&x)[kTogether]) const {
    const float even = quarter < 2 ? x[0] : x[2], odd = quarter < 2 ? x[1] : x[3];
    return quarter % 2 ? odd : even;
  }

  // This lane's column of token m.
  template <typename T>
  LN_DEVICE void put(T* y, i64 m, float x) const {
    if (has_column()) store(y + (m * a.heads + head) * a.V + column0 + column, x);
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
  // Borders of chunks lie between fours.
  for (i64 base = first - first % walk.kTogether; base < a.M; base += DeltaTile::kStage) {
    const i32 from = base < first ? i32(first - base) : 0;
    const i32 count = i32(a.M - base < DeltaTile::kStage ? a.M - base : DeltaTile::kStage);
    walk.stage(q, k, v, g, beta, doc_start, base, from, count);
#pragma unroll 1
    for (i32 n = 0; n < count; n += walk.kTogether) {
      const i64 m = base + n;
      if (m % DeltaTile::kChunk == 0 && m > first && walk.at.doc_start[n] != m)
        walk.template move<false>(states + m / DeltaTile::kChunk * a.heads * a.K * a.V);
      i32 stop = n;  // where a document begins that is another block's
      while (stop < n + walk.kTogether && stop < count &&
             (base + stop < end || walk.at.doc_start[stop] != base + stop))
        stop++;
      float u, answer;
      walk.template advance<true>(n, &u, &answer);
      const i32 own = n + walk.quarter;
      if (own >= from && own < stop) walk.put(o, base + own, answer);
      if (stop < n + walk.kTogether) return;
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
    walk.stage(q, k, v, g, beta, nullptr, base, 0, tokens);
#pragma unroll 1
    for (i32 n = 0; n < tokens; n += walk.kTogether) {
      float u, answer;
      walk.template advance<true>(n, &u, &answer);
      if (n + walk.quarter < tokens) walk.put(o, base + n + walk.quarter, answer);
    }
  }
  for (i64 m = real + walk.quarter; m < a.M; m += walk.kTogether) walk.put(o, m, 0.0f);
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
    walk.template stage<T>(nullptr, k, v, g, beta, doc_start, base, 0, count);
#pragma unroll 1
    for (i32 n = 0; n < count; n += walk.kTogether) {
      float correction, o;
      walk.template advance<false>(n, &correction, &o);
      if (n + walk.quarter < count) walk.put(u, base + n + walk.quarter, correction);
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
    walk.stage_keys(walk.at.q, q, base, 0, count);
    walk.stage_keys(walk.at.k, k, base, 0, count);
    walk.stage_values(walk.at.o, dout, base, 0, count);
    walk.stage_gates(g, beta, doc_start, base, 0, count, 1);
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
      const float value = walk.at.beta[n] * sum;
      if (walk.quarter == 0) {
        walk.put(y, m, sum);
        walk.put(dv, m, value);
      }
#pragma unroll
      for (int i = 0; i < DeltaTile::kRows / 4; i++) {
        const Four by_k = ks[walk.quarter + 4 * i];
#pragma unroll
        for (int e = 0; e < 4; e++)
          walk.S[4 * i + e] = walk.at.a[n] * (walk.S[4 * i + e] - by_k.x[e] * value);
      }
    }
  }
}

LN_INSTANCES((DeltaTile::kThreads, 4), delta_rule_fwd,
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

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
// and the rest again for all chunks at once (delta_rule_pairs), from what tokens of a chunk are to
// one another. With G the sum of g from the chunk's beginning, S0 the state before it and dS1 the
// gradient of the state behind it, s <= t of one document:
//   P[t, s] = e^(G_t - G_s) beta_s u_s . do_t,  R[t, s] = -e^(G_t - G_s) beta_s u_s . beta_t y_t
//   dq_t    = e^(G_t) S0 do_t + sum of P[t, s] k_s
//   reads_t = -e^(G_t) S0 beta_t y_t + sum of R[t, s] k_s over s < t
//   writes_s = e^(G_last - G_s) dS1 beta_s u_s + sum of P[t, s] q_t + sum of R[t, s] k_t over t > s
//   dk = reads + writes,  dbeta_t = y_t . u_t
//   dg_t = <dS1, S1> + sum over t' >= t of q . dq + k . reads - k . writes
// The last holds because a change of g_t scales what all later tokens read and, inversely, what
// they write.
#include "gated_delta.h"
#include "gpu.cuh"

struct alignas(16) Four {
  float x[4];
};

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

// sum[r][i] += left [64, depth] right [depth, 16 WIDTH], where thread (ty, tx) has rows 4 ty + r
// and columns 4 tx + i % 4 + 64 (i / 4). left(t, k) and right(k, c) give 0 outside. ALONG: whether
// right lies along k.
template <int WIDTH, bool ALONG, typename L, typename R>
LN_DEVICE void add_product(float (&sum)[4][WIDTH], i32 depth, float* shared, L left, R right) {
  constexpr int kSlab = DeltaPairs::kSlab, kColumns = 16 * WIDTH;
  float *l = shared, *r = shared + kSlab * DeltaPairs::kLeft;
  const i32 tx = i32(threadIdx.x) % 16, ty = i32(threadIdx.x) / 16;
#pragma unroll 1
  for (i32 k0 = 0; k0 < depth; k0 += kSlab) {
    __syncthreads();
#pragma unroll 2
    for (i32 i = i32(threadIdx.x); i < kSlab * DeltaTile::kChunk; i += DeltaPairs::kThreads)
      l[i % kSlab * DeltaPairs::kLeft + i / kSlab] = left(i / kSlab, k0 + i % kSlab);
#pragma unroll 2
    for (i32 i = i32(threadIdx.x); i < kSlab * kColumns; i += DeltaPairs::kThreads) {
      const i32 k = ALONG ? i % kSlab : i / kColumns, c = ALONG ? i / kSlab : i % kColumns;
      r[k * DeltaPairs::kRight + c] = right(k0 + k, c);
    }
    __syncthreads();
#pragma unroll 2
    for (int k = 0; k < kSlab; k++) {
      const Four x = *reinterpret_cast<const Four*>(l + k * DeltaPairs::kLeft + 4 * ty);
#pragma unroll
      for (int part = 0; part < WIDTH / 4; part++) {
        const Four y =
            *reinterpret_cast<const Four*>(r + k * DeltaPairs::kRight + 64 * part + 4 * tx);
#pragma unroll
        for (int i = 0; i < 16; i++) sum[i / 4][4 * part + i % 4] += x.x[i / 4] * y.x[i % 4];
      }
    }
  }
}

template <typename T>
LN_DEVICE void delta_rule_pairs(const T* dout, const T* q, const T* k, const float* g,
                                const float* beta, const i32* doc_start, const float* states,
                                const DeltaScratch& s, T* dq, T* dk, float* dg, float* dbeta,
                                const DeltaArguments& a, double* shared) {
  constexpr int kChunk = DeltaTile::kChunk, kPitch = DeltaPairs::kPitch;
  double* G = shared;
  float *P = reinterpret_cast<float*>(G + kChunk), *R = P + kChunk * kPitch,
        *slabs = R + kChunk * kPitch,
        *b = slabs + DeltaPairs::kSlab * (DeltaPairs::kLeft + DeltaPairs::kRight),
        *pull = b + kChunk;
  i32* from = reinterpret_cast<i32*>(pull + kChunk);
  const i32 thread = i32(threadIdx.x), tx = thread % 16, ty = thread / 16;
  const i64 chunk = i64(blockIdx.x), base = chunk * kChunk, key = i64(blockIdx.y);
  const i32 n = i32(a.M - base < kChunk ? a.M - base : kChunk);
  const i64 shared_heads = a.heads / a.key_heads, state = a.K * a.V;
  // First token, from the chunk's on, of the document that goes on behind the chunk; n for none.
  i32 going_on = n;
  if (base + n < a.M && doc_start[base + n] < base + n) going_on = i32(doc_start[base + n] - base);
  if (thread < kChunk) from[thread] = thread < n ? i32(doc_start[base + thread] - base) : kChunk;

  float sum_q[4][8] = {}, sum_k[4][8] = {};
  for (i64 own = 0; own < shared_heads; own++) {
    const i64 head = key * shared_heads + own;
    const float *S0 = states + (chunk * a.heads + head) * state,
                *S1 = states + ((chunk + 1) * a.heads + head) * state,
                *dS1 = s.dstates + ((chunk + 1) * a.heads + head) * state;
    __syncthreads();
    if (thread < n) {
      b[thread] = beta[(base + thread) * a.heads + head];
      pull[thread] = g[(base + thread) * a.heads + head];
    }
    __syncthreads();
    if (thread == 0) {
      double sum = 0;
      for (i32 t = 0; t < n; t++) G[t] = sum += pull[t];
    }
    __syncthreads();

    const i32 K = i32(a.K), V = i32(a.V), row = i32(a.heads * a.V),
              key_row = i32(a.key_heads * a.K);
    const i64 own_values = base * row + head * V, own_keys = base * key_row + key * K;
    const T *own_q = q + own_keys, *own_k = k + own_keys, *own_dout = dout + own_values;
    const float *own_u = s.u + own_values, *own_y = s.y + own_values;
    auto value = [&](const auto* x, i32 t, i32 j) {
      return t < n && j < V ? load(x[t * row + j]) : 0.0f;
    };
    auto key_of = [&](const T* x, i32 t, i32 i) {
      return t < n && i < K ? load(x[t * key_row + i]) : 0.0f;
    };
    auto delta = [&](i32 t, i32 j) { return t < n ? b[t] * value(own_u, t, j) : 0.0f; };
    auto correction = [&](i32 t, i32 j) { return t < n ? -b[t] * value(own_y, t, j) : 0.0f; };
    // What the state before the chunk is to token t, and t to the state behind it.
    auto since = [&](i32 t) { return t < n && from[t] < 0 ? expf(float(G[t])) : 0.0f; };
    auto until = [&](i32 t) {
      return t < n && t >= going_on ? expf(float(G[n - 1] - G[t])) : 0.0f;
    };

    {
      float p[4][4] = {}, r[4][4] = {};
      add_product<4, true>(
          p, V, slabs, [&](i32 t, i32 j) { return value(own_dout, t, j); },
          [&](i32 j, i32 t) { return delta(t, j); });
      add_product<4, true>(r, V, slabs, correction, [&](i32 j, i32 t) { return delta(t, j); });
#pragma unroll
      for (int i = 0; i < 16; i++) {
        const i32 t = 4 * ty + i / 4, before = 4 * tx + i % 4;
        const bool sees = t < n && before <= t && before >= from[t];
        const float by = sees ? expf(float(G[t] - G[before])) : 0.0f;
        P[t * kPitch + before] = sees ? by * p[i / 4][i % 4] : 0.0f;
        R[t * kPitch + before] = sees && before < t ? by * r[i / 4][i % 4] : 0.0f;
      }
    }
    if (thread < kChunk) pull[thread] = 0;
    __syncthreads();

    // Adds sign x . row to pull, and x to the head's sum.
    auto take = [&](float (&x)[4][8], float (&sum)[4][8], const T* of, float sign) {
#pragma unroll
      for (int row = 0; row < 4; row++) {
        float dot = 0;
#pragma unroll
        for (int i = 0; i < 8; i++) {
          dot += x[row][i] * key_of(of, 4 * ty + row, 4 * tx + i % 4 + 64 * (i / 4));
          sum[row][i] += x[row][i];
        }
        for (int lanes = 8; lanes > 0; lanes >>= 1) dot += __shfl_xor_sync(0xffffffffu, dot, lanes);
        if (tx == 0) pull[4 * ty + row] += sign * dot;
      }
    };
    auto state_of = [&](const float* S, i32 j, i32 i) {
      return i < K && j < V ? S[i * V + j] : 0.0f;
    };
    const bool has_before = from[0] < 0, goes_on = going_on < n;
    {
      float x[4][8] = {};
      add_product<8, false>(
          x, n, slabs, [&](i32 t, i32 i) { return P[t * kPitch + i]; },
          [&](i32 t, i32 i) { return key_of(own_k, t, i); });
      if (has_before)
        add_product<8, true>(
            x, V, slabs, [&](i32 t, i32 j) { return since(t) * value(own_dout, t, j); },
            [&](i32 j, i32 i) { return state_of(S0, j, i); });
      take(x, sum_q, own_q, 1.0f);
    }
    {
      float x[4][8] = {};
      add_product<8, false>(
          x, n, slabs, [&](i32 t, i32 i) { return R[t * kPitch + i]; },
          [&](i32 t, i32 i) { return key_of(own_k, t, i); });
      if (has_before)
        add_product<8, true>(
            x, V, slabs, [&](i32 t, i32 j) { return since(t) * correction(t, j); },
            [&](i32 j, i32 i) { return state_of(S0, j, i); });
      take(x, sum_k, own_k, 1.0f);
    }
    {
      float x[4][8] = {};
      add_product<8, false>(
          x, n, slabs, [&](i32 t, i32 i) { return P[i * kPitch + t]; },
          [&](i32 t, i32 i) { return key_of(own_q, t, i); });
      add_product<8, false>(
          x, n, slabs, [&](i32 t, i32 i) { return R[i * kPitch + t]; },
          [&](i32 t, i32 i) { return key_of(own_k, t, i); });
      if (goes_on)
        add_product<8, true>(
            x, V, slabs, [&](i32 t, i32 j) { return until(t) * delta(t, j); },
            [&](i32 j, i32 i) { return state_of(dS1, j, i); });
      take(x, sum_k, own_k, -1.0f);
    }

    // <dS1, S1>, of each thread's share; P and R are free now.
    __syncthreads();
    double inner = 0;
    if (goes_on)
      for (i64 i = thread; i < state; i += DeltaPairs::kThreads) inner += S1[i] * dS1[i];
    inner = block_sum(inner, reinterpret_cast<double*>(P));
    if (thread < n) {
      double sum = thread >= going_on ? inner : 0;
      for (i32 t = n - 1; t >= thread; t--)
        if (from[t] <= thread) sum += pull[t];
      dg[(base + thread) * a.heads + head] = float(sum);
    }
    // Four lanes for a token.
    float dot = 0;
    for (i32 j = thread % 4; j < V; j += 4)
      dot += value(own_y, thread / 4, j) * value(own_u, thread / 4, j);
    dot += __shfl_xor_sync(0xffffffffu, dot, 1);
    dot += __shfl_xor_sync(0xffffffffu, dot, 2);
    if (thread % 4 == 0 && thread / 4 < n) dbeta[(base + thread / 4) * a.heads + head] = dot;
  }
#pragma unroll
  for (int i = 0; i < 32; i++) {
    const i32 t = 4 * ty + i / 8, c = 4 * tx + i % 4 + 64 * (i % 8 / 4);
    if (t >= n || c >= a.K) continue;
    const i32 to = ((base + t) * a.key_heads + key) * a.K + c;
    store(dq + to, sum_q[i / 8][i % 8]);
    store(dk + to, sum_k[i / 8][i % 8]);
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
LN_INSTANCES((DeltaPairs::kThreads, 1), delta_rule_pairs,
             (const T* dout, const T* q, const T* k, const float* g, const float* beta,
              const i32* doc_start, const float* states, DeltaScratch s, T* dq, T* dk, float* dg,
              float* dbeta, DeltaArguments a),
             LN_DYNAMIC_SHARED(double, shared);
             delta_rule_pairs(dout, q, k, g, beta, doc_start, states, s, dq, dk, dg, dbeta, a,
                              shared))
LN_INSTANCES((DeltaTile::kThreads), cached_delta_rule,
             (const T* q, const T* k, const T* v, const float* g, const float* beta,
              const i32* start, const i32* count, float* state, T* o, DeltaArguments a),
             LN_DYNAMIC_SHARED(float, shared);
             cached_delta_rule(q, k, v, g, beta, start, count, state, o, a, shared))

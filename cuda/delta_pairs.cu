// Backward of the gated delta rule for all chunks at once, from what tokens of a chunk are to one
// another; u, y and the gradients of kept states are there already (gated_delta.cu, which has the
// rule). With G the sum of g from the chunk's beginning, S0 the state before it and dS1 the
// gradient of the state behind it, s <= t of one document:
//   P[t, s] = e^(G_t - G_s) beta_s u_s . do_t,  R[t, s] = -e^(G_t - G_s) beta_s u_s . beta_t y_t
//   dq_t    = e^(G_t) S0 do_t + sum of P[t, s] k_s
//   reads_t = -e^(G_t) S0 beta_t y_t + sum of R[t, s] k_s over s < t
//   writes_s = e^(G_last - G_s) dS1 beta_s u_s + sum of P[t, s] q_t + sum of R[t, s] k_t over t > s
//   dk = reads + writes,  dbeta_t = y_t . u_t
//   dg_t = <dS1, S1> + sum over t' >= t of q . dq + k . reads - k . writes
// The last holds because a change of g_t scales what all later tokens read and, inversely, what
// they write. Parts that cancel there are left out, or their rounding would drown the rest where
// nearly all is forgotten at once: what a token reads of its own, P[t, t], and of S1 what tokens
// from t on wrote. So <dS1, S1> becomes e^(G_last) <dS1, S0> and, over s < t, k_s . the first part
// of writes_s.
//
// A block has 64 tokens by 128 channels of one key head and goes over the heads that share it; P, R
// and slabs of both factors lie in its 46 KiB of shared memory. Products in f32 bound it.
#include "gated_delta.h"
#include "gpu.cuh"

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
        *pull = b + kChunk, *carried = pull + kChunk, *itself = carried + kChunk;
  i32* from = reinterpret_cast<i32*>(itself + kChunk);
  const i32 thread = i32(threadIdx.x), tx = thread % 16, ty = thread / 16;
  const i64 chunk = i64(blockIdx.x), base = chunk * kChunk, key = i64(blockIdx.y);
  const i32 n = i32(a.M - base < kChunk ? a.M - base : kChunk);
  const i64 shared_heads = a.heads / a.key_heads, state = a.K * a.V;
  // First token, from the chunk's on, of the document that goes on behind the chunk, below 0 where
  // it began before; n for none.
  i32 going_on = n;
  if (base + n < a.M && doc_start[base + n] < base + n) going_on = i32(doc_start[base + n] - base);
  if (thread < kChunk) from[thread] = thread < n ? i32(doc_start[base + thread] - base) : kChunk;
  if (thread < kChunk) itself[thread] = 0;  // P[t, t] of all heads

  float sum_q[4][8] = {}, sum_k[4][8] = {};
  for (i64 own = 0; own < shared_heads; own++) {
    const i64 head = key * shared_heads + own;
    const float *S0 = states + (chunk * a.heads + head) * state,
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
        P[t * kPitch + before] = sees && before < t ? by * p[i / 4][i % 4] : 0.0f;
        if (sees && before == t) itself[t] += p[i / 4][i % 4];
        R[t * kPitch + before] = sees && before < t ? by * r[i / 4][i % 4] : 0.0f;
      }
    }
    if (thread < kChunk) pull[thread] = carried[thread] = 0;
    __syncthreads();

    // Adds sign x . row to dots, and x to the head's sum.
    auto take = [&](float (&x)[4][8], float (&sum)[4][8], float* dots, const T* of, float sign) {
#pragma unroll
      for (int row = 0; row < 4; row++) {
        float dot = 0;
#pragma unroll
        for (int i = 0; i < 8; i++) {
          dot += x[row][i] * key_of(of, 4 * ty + row, 4 * tx + i % 4 + 64 * (i / 4));
          sum[row][i] += x[row][i];
        }
        for (int lanes = 8; lanes > 0; lanes >>= 1) dot += __shfl_xor_sync(0xffffffffu, dot, lanes);
        if (tx == 0) dots[4 * ty + row] += sign * dot;
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
      take(x, sum_q, pull, own_q, 1.0f);
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
      take(x, sum_k, pull, own_k, 1.0f);
    }
    {
      float x[4][8] = {};
      add_product<8, false>(
          x, n, slabs, [&](i32 t, i32 i) { return P[i * kPitch + t]; },
          [&](i32 t, i32 i) { return key_of(own_q, t, i); });
      add_product<8, false>(
          x, n, slabs, [&](i32 t, i32 i) { return R[i * kPitch + t]; },
          [&](i32 t, i32 i) { return key_of(own_k, t, i); });
      take(x, sum_k, pull, own_k, -1.0f);
    }
    if (goes_on) {
      float x[4][8] = {};
      add_product<8, true>(
          x, V, slabs, [&](i32 t, i32 j) { return until(t) * delta(t, j); },
          [&](i32 j, i32 i) { return state_of(dS1, j, i); });
      take(x, sum_k, carried, own_k, 1.0f);
    }

    // <dS1, S0>, of each thread's share; P and R are free now.
    __syncthreads();
    double inner = 0;
    if (goes_on && going_on < 0)
#pragma unroll 2  // at 4 a register spills on sm_90
      for (i64 i = thread; i < state; i += DeltaPairs::kThreads) inner += S0[i] * dS1[i];
    inner = expf(float(G[n - 1])) * block_sum(inner, reinterpret_cast<double*>(P));
    if (thread < n) {
      double sum = thread >= going_on ? inner : 0;
      for (i32 t = going_on < 0 ? 0 : going_on; t < thread; t++) sum += carried[t];
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
    const float own = itself[t];
    store(dq + to, sum_q[i / 8][i % 8] + own * load(k[to]));
    store(dk + to, sum_k[i / 8][i % 8] + own * load(q[to]));
  }
}

LN_INSTANCES((DeltaPairs::kThreads, 1), delta_rule_pairs,
             (const T* dout, const T* q, const T* k, const float* g, const float* beta,
              const i32* doc_start, const float* states, DeltaScratch s, T* dq, T* dk, float* dg,
              float* dbeta, DeltaArguments a),
             LN_DYNAMIC_SHARED(double, shared);
             delta_rule_pairs(dout, q, k, g, beta, doc_start, states, s, dq, dk, dg, dbeta, a,
                              shared))

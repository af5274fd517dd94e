// What stands before the delta rule of a layer; see gated_delta.cu.
//
//   short_conv         y[m, c] = silu(z), z = sum over j < K of w[c, j] x[m - (K - 1) + j, c],
//                      within m's document                                      Gu & Dao 2023
//   cached_short_conv  the same for new tokens behind a tail of K - 1 rows
//   delta_gates        g = -exp(a_log) softplus(a + dt_bias), beta = sigmoid(b)   Yang et al. 2024
//
// All are bound by memory. Backward of the convolution computes z again, and each thread gathers
// what its tokens gave to those behind them, in one order.
#include "logistic.cuh"
#include "recurrent.h"

// Of channel c, whose x and w these are, at token m of a document that begins at `first`.
template <typename T>
LN_DEVICE float convolved(const T* x, const float* w, i64 m, i64 first,
                          const ShortConvArguments& a) {
  float z = 0;
  for (i64 j = 0; j < a.K; j++) {
    const i64 from = m - (a.K - 1) + j;
    if (from >= first) z += w[j] * load(x[from * a.C]);
  }
  return z;
}

template <typename T>
LN_DEVICE void short_conv_fwd(const T* x, const float* w, const i32* doc_start, T* y,
                              const ShortConvArguments& a) {
  const i64 c = global_thread(), m0 = i64(blockIdx.y) * ShortConvTile::kTokens;
  if (c >= a.C) return;
  for (i64 m = m0; m < m0 + ShortConvTile::kTokens && m < a.M; m++) {
    const float z = convolved(x + c, w + c * a.K, m, doc_start[m], a);
    store(y + m * a.C + c, z * sigmoid(z));
  }
}

template <typename T>
LN_DEVICE void short_conv_bwd(const T* dy, const T* x, const float* w, const i32* doc_start, T* dx,
                              const ShortConvArguments& a) {
  constexpr int kTokens = ShortConvTile::kTokens;
  const i64 c = global_thread(), m0 = i64(blockIdx.y) * kTokens;
  if (c >= a.C) return;
  w += c * a.K;
  float sum[kTokens] = {};
  for (i64 n = m0; n < m0 + kTokens + a.K - 1 && n < a.M; n++) {
    const i64 first = doc_start[n];
    const float z = convolved(x + c, w, n, first, a);
    const Logistic l(z);
    const float dz = load(dy[n * a.C + c]) * l.s * (1.0f + z * l.rest);
#pragma unroll
    for (int i = 0; i < kTokens; i++) {
      const i64 m = m0 + i, behind = n - m;
      if (behind >= 0 && behind < a.K && m >= first) sum[i] += w[a.K - 1 - behind] * dz;
    }
  }
#pragma unroll
  for (int i = 0; i < kTokens; i++)
    if (m0 + i < a.M) store(dx + (m0 + i) * a.C + c, sum[i]);
}

template <typename T>
LN_DEVICE void cached_short_conv(const T* x, const float* w, const i32* start, const i32* count,
                                 T* tail, T* y, const ShortConvArguments& a) {
  const i64 c = global_thread(), real = *count, before = *start;
  if (c >= a.C) return;
#pragma unroll 1
  for (i64 m = 0; m < a.M; m++) {
    float z = 0;
#pragma unroll 1
    for (i64 j = 0; m < real && j < a.K; j++) {
      const i64 from = m - (a.K - 1) + j;
      if (from < -before) continue;
      const T* at = from < 0 ? tail + (a.K - 1 + from) * a.C : x + from * a.C;
      z += w[c * a.K + j] * load(at[c]);
    }
    store(y + m * a.C + c, z * sigmoid(z));
  }
  // Each row comes from one further down, so rows are moved in their order.
  for (i64 j = 0; j < a.K - 1; j++) {
    const i64 from = real - (a.K - 1) + j;
    tail[j * a.C + c] = from < 0 ? tail[(a.K - 1 + from) * a.C + c] : x[from * a.C + c];
  }
}

// log(1 + e^x), as torch has it: x itself above 20.
LN_DEVICE float softplus(float x) { return x > 20.0f ? x : log1pf(expf(x)); }

template <typename T>
LN_DEVICE void delta_gates_fwd(const T* a, const T* b, const float* a_log, const float* dt_bias,
                               float* g, float* beta, i64 n, i64 H) {
  const i64 i = global_thread();
  if (i >= n) return;
  g[i] = -expf(a_log[i % H]) * softplus(load(a[i]) + dt_bias[i % H]);
  beta[i] = sigmoid(load(b[i]));
}

template <typename T>
LN_DEVICE void delta_gates_bwd(const float* dg, const float* dbeta, const T* a, const T* b,
                               const float* a_log, const float* dt_bias, T* da, T* db, i64 n,
                               i64 H) {
  const i64 i = global_thread();
  if (i >= n) return;
  const float x = load(a[i]) + dt_bias[i % H];
  store(da + i, -dg[i] * expf(a_log[i % H]) * (x > 20.0f ? 1.0f : sigmoid(x)));
  store(db + i, dbeta[i] * Logistic(load(b[i])).slope());
}

LN_INSTANCES((ShortConvTile::kThreads), short_conv_fwd,
             (const T* x, const float* w, const i32* doc_start, T* y, ShortConvArguments a),
             short_conv_fwd(x, w, doc_start, y, a))
LN_INSTANCES((ShortConvTile::kThreads), short_conv_bwd,
             (const T* dy, const T* x, const float* w, const i32* doc_start, T* dx,
              ShortConvArguments a),
             short_conv_bwd(dy, x, w, doc_start, dx, a))
LN_INSTANCES((ShortConvTile::kThreads), cached_short_conv,
             (const T* x, const float* w, const i32* start, const i32* count, T* tail, T* y,
              ShortConvArguments a),
             cached_short_conv(x, w, start, count, tail, y, a))
LN_INSTANCES((ShortConvTile::kThreads), delta_gates_fwd,
             (const T* a, const T* b, const float* a_log, const float* dt_bias, float* g,
              float* beta, i64 n, i64 H),
             delta_gates_fwd(a, b, a_log, dt_bias, g, beta, n, H))
LN_INSTANCES((ShortConvTile::kThreads), delta_gates_bwd,
             (const float* dg, const float* dbeta, const T* a, const T* b, const float* a_log,
              const float* dt_bias, T* da, T* db, i64 n, i64 H),
             delta_gates_bwd(dg, dbeta, a, b, a_log, dt_bias, da, db, n, H))

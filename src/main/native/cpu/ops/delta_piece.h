// Tokens of one document that the gated delta rule computes at once (Yang et al. 2024,
// section 3.3), by products of small matrices. With e_t the product of a from the piece's first
// token to t, d[t, s] that of the tokens behind s up to t, S0 the state before the piece and D =
// beta u:
//
//   D_t = beta_t (v_t - e_t S0^T k_t - sum over s < t of d[t, s] (k_t . k_s) D_s)
//   o_t = e_t S0^T q_t + sum over s <= t of d[t, s] (q_t . k_s) D_s
//   S   = e_n S0 + sum over s of d[n, s] k_s D_s^T
//
// e and d are products of numbers up to 1: nothing overflows, however much is forgotten. Columns of
// S know nothing of one another: a panel of them stays in L1 through all of a piece's products.
// Work: 3 K + 4 n multiply-adds for a token and column, as many as token by token (4 K), but eight
// rows share what is loaded.
#pragma once
#include <math.h>

#include "cpu/ops/small_gemm.h"

namespace ln {
namespace LN_ISA {
namespace {

struct DeltaPiece {
  // Longer pieces do more work among their tokens, and touch more pages of o and v at a time.
  static constexpr int64_t kMost = 32, kPanel = 2 * kLanes, kTogether = 8;
  static_assert(kMost % kPanel == 0, "products among tokens are whole panels wide");

  int64_t K = 0, tokens = 0;
  bool begins = false;  // S0 is 0
  // k of all tokens, then q; k again, transposed; products of all of these with all k.
  float keys[2 * kMost * LN_DELTA_WIDEST], turned[LN_DELTA_WIDEST * kMost],
      products[2 * kMost * kMost];
  // Of a head: beta and e of tokens, d[n, .], and the factors of D above.
  float beta[kMost], since[kMost], until[kMost];
  float corrections[kMost * kMost], answers[kMost * kMost];
  // Of a panel: v, then D; o; d[n, .] D.
  float deltas[2 * kMost * kPanel], learnt[kMost * kPanel];

  float* key(int64_t t) { return keys + t * K; }
  float* query(int64_t t) { return keys + (tokens + t) * K; }
  float* delta(int64_t t) { return deltas + t * kPanel; }
  float* answer(int64_t t) { return deltas + (tokens + t) * kPanel; }

  // After keys and queries are there.
  void compare() {
    const int64_t columns = (tokens + kPanel - 1) / kPanel * kPanel;
    for (int64_t i = 0; i < K; i++)
      for (int64_t t = 0; t < columns; t++)
        turned[i * kMost + t] = t < tokens ? keys[t * K + i] : 0.0f;
    run(SmallGemm{2 * tokens, columns, K, keys, K, 1, turned, kMost, products, kMost, false});
  }

  // g(t) and b(t) of a head.
  template <typename G, typename B>
  void gate(G g, B b) {
    float e = 1;
    for (int64_t t = 0; t < tokens; t++) {
      const float a = expf(g(t)), by = beta[t] = b(t);
      since[t] = e *= a;
      float *correction = corrections + t * kMost, *answer = answers + t * kMost;
      const float *k = products + t * kMost, *q = products + (tokens + t) * kMost;
#pragma omp simd
      for (int64_t s = 0; s < t; s++) {
        until[s] *= a;
        correction[s] = -by * (until[s] * k[s]);
        answer[s] = until[s] * q[s];
      }
      until[t] = 1;
      answer[t] = q[t];
      for (int64_t s = t + 1; s < tokens; s++) answer[s] = 0;
    }
  }

  // v(t, x) writes a token's kPanel values. Leaves o in answer(); S [K, kPanel] is the state before
  // the piece and behind it.
  template <typename V>
  void walk(float* S, V v) {
    if (begins)
      memset(deltas, 0, size_t(2 * tokens * kPanel) * 4);
    else
      run(SmallGemm{2 * tokens, kPanel, K, keys, K, 1, S, kPanel, deltas, kPanel, false});
    for (int64_t t = 0; t < tokens; t++) {
      float value[kPanel], *d = delta(t), *o = answer(t);
      v(t, value);
      const float by = beta[t], e = since[t];
#pragma omp simd
      for (int64_t j = 0; j < kPanel; j++) {
        d[j] = by * (value[j] - e * d[j]);
        o[j] *= e;
      }
    }
    for (int64_t first = 0; first < tokens; first += kTogether) correct(first);
    for (int64_t t = 0; t < tokens; t++)
#pragma omp simd
      for (int64_t j = 0; j < kPanel; j++) learnt[t * kPanel + j] = until[t] * delta(t)[j];
    const float e = since[tokens - 1];
    if (!begins)
#pragma omp simd
      for (int64_t i = 0; i < K * kPanel; i++) S[i] *= e;
    run(SmallGemm{K, kPanel, tokens, keys, 1, K, learnt, kPanel, S, kPanel, !begins});
  }

 private:
  // D and o of kTogether tokens, from D of those before.
  void correct(int64_t first) {
    const int64_t n = lo(kTogether, tokens - first);
    run(SmallGemm{n, kPanel, first, corrections + first * kMost, kMost, 1, deltas, kPanel,
                  delta(first), kPanel, true});
    for (int64_t t = first + 1; t < first + n; t++) {
      Lanes* d = reinterpret_cast<Lanes*>(delta(t));
      for (int64_t s = first; s < t; s++) {
        const float by = corrections[t * kMost + s];
        const Lanes* before = reinterpret_cast<const Lanes*>(delta(s));
        d[0] += by * before[0];
        d[1] += by * before[1];
      }
    }
    run(SmallGemm{n, kPanel, first + n, answers + first * kMost, kMost, 1, deltas, kPanel,
                  answer(first), kPanel, true});
  }
};

}  // namespace
}  // namespace LN_ISA
}  // namespace ln

// The gated delta rule, token by token.                       Yang et al. 2024 (Gated DeltaNet)
//
//   S' = a S,  u = v - S'^T k,  S = S' + k (beta u)^T,  o = S^T q          a = exp(g)
//
// Backward, with dS the gradient of S after a token, from the last token of a document on:
//   dS += q do^T,  dq = S do,  y = dS^T k,  dv = beta y,  dbeta = y . u
//   dk = dS (beta u) - S' (beta y),  dS' = dS - k (beta y)^T,  dg = <dS', S'>,  dS = a dS'
// S' of each token of a chunk is computed again from the state that forward kept at its border.
// One thread for a head (backward: a key head with all heads that share it, so that dq and dk are
// sums in one order).
#include <math.h>
#include <omp.h>

#include "cpu/ops/delta_piece.h"
#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {
namespace {

constexpr int64_t kChunk = LN_DELTA_CHUNK, kWidest = LN_DELTA_WIDEST;

struct Heads {
  int64_t M, key_heads, heads, K, V;
  int64_t state() const { return K * V; }
  int64_t shared() const { return heads / key_heads; }
};

// A token's vectors of one head, in f32.
struct Token {
  float q[kWidest], k[kWidest], v[kWidest];
  float a, beta;
};

template <typename T>
struct Inputs {
  const T *q, *k, *v;
  const float *g, *beta;

  void read(Token* t, const Heads& h, int64_t m, int64_t head) const {
    const int64_t key = (m * h.key_heads + head / h.shared()) * h.K;
    for (int64_t i = 0; i < h.K; i++) {
      t->q[i] = load(q[key + i]);
      t->k[i] = load(k[key + i]);
    }
    const T* value = v + (m * h.heads + head) * h.V;
    for (int64_t j = 0; j < h.V; j++) t->v[j] = load(value[j]);
    t->a = expf(g[m * h.heads + head]);
    t->beta = beta[m * h.heads + head];
  }
};

// S becomes S'; u.
inline void forget(float* S, const Token& t, const Heads& h, float* u) {
  for (int64_t j = 0; j < h.V; j++) u[j] = t.v[j];
  for (int64_t i = 0; i < h.K; i++) {
    float* row = S + i * h.V;
    const float k = t.k[i];
#pragma omp simd
    for (int64_t j = 0; j < h.V; j++) {
      row[j] *= t.a;
      u[j] -= k * row[j];
    }
  }
}

// S' becomes S; o.
inline void learn(float* S, const Token& t, const Heads& h, const float* u, float* o) {
  for (int64_t j = 0; j < h.V; j++) o[j] = 0;
  for (int64_t i = 0; i < h.K; i++) {
    float* row = S + i * h.V;
    const float k = t.k[i] * t.beta, q = t.q[i];
#pragma omp simd
    for (int64_t j = 0; j < h.V; j++) {
      row[j] += k * u[j];
      o[j] += q * row[j];
    }
  }
}

inline void clear(float* S, const Heads& h) { memset(S, 0, size_t(h.state()) * 4); }
inline void copy(float* to, const float* from, const Heads& h) {
  memcpy(to, from, size_t(h.state()) * 4);
}

template <typename T>
void token(const Inputs<T>& in, const Heads& h, int64_t m, int64_t head, float* S, T* o) {
  Token t;
  float u[kWidest], out[kWidest];
  in.read(&t, h, m, head);
  forget(S, t, h, u);
  learn(S, t, h, u, out);
  T* to = o + (m * h.heads + head) * h.V;
  for (int64_t j = 0; j < h.V; j++) store(to + j, out[j]);
}

// What one thread computes: some of the panels of the heads that share a key head.
struct Unit {
  int64_t key, first, end;

  static int64_t panels(const Heads& h) {
    return (h.V + DeltaPiece::kPanel - 1) / DeltaPiece::kPanel;
  }
  static int64_t all(const Heads& h) { return h.shared() * panels(h); }
  // A key head is divided only where there are more threads than key heads.
  static int64_t parts(const Heads& h, int64_t threads) {
    return lo((threads + h.key_heads - 1) / h.key_heads, all(h));
  }
  Unit(const Heads& h, int64_t parts, int64_t i)
      : key(i / parts), first(i % parts * all(h) / parts), end((i % parts + 1) * all(h) / parts) {}
};

int64_t panel_floats(const Heads& h) { return h.K * DeltaPiece::kPanel; }
constexpr int64_t kPieceFloats = sizeof(DeltaPiece) / sizeof(float);
int64_t forward_floats(const Heads& h) { return Unit::all(h) * panel_floats(h) + kPieceFloats; }

template <typename T>
void forward(const Inputs<T>& in, const Heads& h, const int32_t* doc_start, T* o, float* states,
             const Unit& unit, float* scratch) {
  constexpr int64_t kPanel = DeltaPiece::kPanel;
  DeltaPiece& piece = *reinterpret_cast<DeltaPiece*>(scratch);
  float* panels = scratch + kPieceFloats;
  piece.K = h.K;
  for (int64_t m = 0; m < h.M; m += piece.tokens) {
    piece.begins = doc_start[m] == m;
    piece.tokens = 1;
    for (int64_t next = m + 1; next < h.M && doc_start[next] != next && next % DeltaPiece::kMost;
         next++)
      piece.tokens++;
    for (int64_t t = 0; t < piece.tokens; t++) {
      const int64_t at = ((m + t) * h.key_heads + unit.key) * h.K;
#pragma omp simd
      for (int64_t i = 0; i < h.K; i++) {
        piece.key(t)[i] = load(in.k[at + i]);
        piece.query(t)[i] = load(in.q[at + i]);
      }
    }
    piece.compare();
    for (int64_t i = unit.first; i < unit.end; i++) {
      const int64_t head = unit.key * h.shared() + i / Unit::panels(h),
                    column = i % Unit::panels(h) * kPanel, wide = lo(kPanel, h.V - column);
      if (i == unit.first || column == 0)
        piece.gate([&](int64_t t) { return in.g[(m + t) * h.heads + head]; },
                   [&](int64_t t) { return in.beta[(m + t) * h.heads + head]; });
      float* S = panels + (i - unit.first) * panel_floats(h);
      if (m % kChunk == 0 && !piece.begins) {
        float* kept = states + (m / kChunk * h.heads + head) * h.state() + column;
        for (int64_t r = 0; r < h.K; r++) memcpy(kept + r * h.V, S + r * kPanel, size_t(wide) * 4);
      }
      const int64_t to = (m * h.heads + head) * h.V + column, row = h.heads * h.V;
      piece.walk(S, [&](int64_t t, float* x) {
        for (int64_t j = wide; j < kPanel; j++) x[j] = 0;
#pragma omp simd
        for (int64_t j = 0; j < wide; j++) x[j] = load(in.v[to + t * row + j]);
      });
      for (int64_t t = 0; t < piece.tokens; t++)
#pragma omp simd
        for (int64_t j = 0; j < wide; j++) store(o + to + t * row + j, piece.answer(t)[j]);
    }
  }
}

template <typename T>
void forward(const Device* device, const Inputs<T>& in, const Heads& h, const int32_t* doc_start,
             T* o, float* states, float* scratch) {
  const int64_t parts = Unit::parts(h, device->threads);
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t i = 0; i < h.key_heads * parts; i++)
    forward(in, h, doc_start, o, states, Unit(h, parts, i),
            scratch + omp_get_thread_num() * forward_floats(h));
}

template <typename T>
void cached(const Device* device, const Inputs<T>& in, const Heads& h, int64_t start, int64_t count,
            float* state, T* o) {
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t head = 0; head < h.heads; head++) {
    float* S = state + head * h.state();
    if (start == 0) clear(S, h);
    for (int64_t m = 0; m < count; m++) token(in, h, m, head, S, o);
    for (int64_t m = count; m < h.M; m++)
      for (int64_t j = 0; j < h.V; j++) store(o + (m * h.heads + head) * h.V + j, 0.0f);
  }
}

template <typename T>
struct Gradients {
  const T* dout;
  T *dq, *dk, *dv;
  float *dg, *dbeta;
};

// The tokens [first, end) of a chunk for one head. states: S' of each; us: u of each. dS goes from
// behind the chunk to before it. Adds to dq and dk [end - first, K].
template <typename T>
void chunk_backward(const Inputs<T>& in, const Gradients<T>& out, const Heads& h,
                    const int32_t* doc_start, int64_t first, int64_t end, int64_t head,
                    const float* border, float* states, float* us, float* dS, float* dq,
                    float* dk) {
  Token t;
  float unused[kWidest];
  for (int64_t m = first; m < end; m++) {
    float* S = states + (m - first) * h.state();
    if (doc_start[m] == m)
      clear(S, h);
    else if (m == first)
      copy(S, border, h);
    else
      copy(S, S - h.state(), h);
    if (m > first && doc_start[m] != m) {  // what the one before learnt
      in.read(&t, h, m - 1, head);
      learn(S, t, h, us + (m - 1 - first) * h.V, unused);
    }
    in.read(&t, h, m, head);
    forget(S, t, h, us + (m - first) * h.V);
  }
  for (int64_t m = end - 1; m >= first; m--) {
    if (m == h.M - 1 || doc_start[m + 1] == m + 1) clear(dS, h);
    in.read(&t, h, m, head);
    const float *S = states + (m - first) * h.state(), *u = us + (m - first) * h.V;
    float dout[kWidest], y[kWidest] = {}, u_dout = 0, dbeta = 0, dg = 0;
    for (int64_t j = 0; j < h.V; j++) {
      dout[j] = load(out.dout[(m * h.heads + head) * h.V + j]);
      u_dout += u[j] * dout[j];
    }
    for (int64_t i = 0; i < h.K; i++) {
      float* row = dS + i * h.V;
      const float q = t.q[i], k = t.k[i];
#pragma omp simd
      for (int64_t j = 0; j < h.V; j++) {
        row[j] += q * dout[j];
        y[j] += k * row[j];
      }
    }
    for (int64_t j = 0; j < h.V; j++) {
      store(out.dv + (m * h.heads + head) * h.V + j, t.beta * y[j]);
      dbeta += y[j] * u[j];
    }
    for (int64_t i = 0; i < h.K; i++) {
      float* row = dS + i * h.V;
      const float* s = S + i * h.V;
      const float k = t.k[i] * t.beta;
      float reads = 0, writes = 0, correction = 0, pull = 0;
#pragma omp simd reduction(+ : reads, writes, correction, pull)
      for (int64_t j = 0; j < h.V; j++) {
        reads += s[j] * dout[j];
        writes += row[j] * u[j];
        correction += s[j] * y[j];
        const float d = row[j] - k * y[j];
        pull += d * s[j];
        row[j] = t.a * d;
      }
      dq[(m - first) * h.K + i] += reads + k * u_dout;
      dk[(m - first) * h.K + i] += t.beta * (writes - correction);
      dg += pull;
    }
    out.dg[m * h.heads + head] = dg;
    out.dbeta[m * h.heads + head] = dbeta;
  }
}

// Floats of a thread: S' and u of a chunk, dS of heads that share a key, dq and dk of a chunk.
int64_t backward_floats(const Heads& h) {
  return kChunk * (h.state() + h.V + 2 * h.K) + h.shared() * h.state();
}

template <typename T>
void backward(const Device* device, const Inputs<T>& in, const Gradients<T>& out, const Heads& h,
              const int32_t* doc_start, const float* kept, float* scratch) {
#pragma omp parallel for num_threads(device->threads) schedule(dynamic, 1)
  for (int64_t key = 0; key < h.key_heads; key++) {
    float* states = scratch + omp_get_thread_num() * backward_floats(h);
    float *us = states + kChunk * h.state(), *dq = us + kChunk * h.V, *dk = dq + kChunk * h.K,
          *dS = dk + kChunk * h.K;
    for (int64_t chunk = (h.M - 1) / kChunk; chunk >= 0; chunk--) {
      const int64_t first = chunk * kChunk, end = lo(h.M, first + kChunk);
      memset(dq, 0, size_t(2 * kChunk * h.K) * 4);
      for (int64_t s = 0; s < h.shared(); s++) {
        const int64_t head = key * h.shared() + s;
        chunk_backward(in, out, h, doc_start, first, end, head,
                       kept + (chunk * h.heads + head) * h.state(), states, us, dS + s * h.state(),
                       dq, dk);
      }
      for (int64_t m = first; m < end; m++)
        for (int64_t i = 0; i < h.K; i++) {
          store(out.dq + (m * h.key_heads + key) * h.K + i, dq[(m - first) * h.K + i]);
          store(out.dk + (m * h.key_heads + key) * h.K + i, dk[(m - first) * h.K + i]);
        }
    }
  }
}

}  // namespace

int64_t ln_delta_rule_scratch(int64_t device, int64_t M, int64_t key_heads, int64_t heads,
                              int64_t K, int64_t V, int32_t backward) {
  const Heads h{M, key_heads, heads, K, V};
  return of(device)->threads * 4 * (backward ? backward_floats(h) : forward_floats(h));
}

int ln_delta_rule_fwd(int64_t device, int64_t q, int64_t k, int64_t v, int64_t g, int64_t beta,
                      int64_t doc_start, int64_t o, int64_t states, int64_t scratch, int64_t M,
                      int64_t key_heads, int64_t heads, int64_t K, int64_t V, int32_t dtype) {
  const Heads h{M, key_heads, heads, K, V};
  auto with = [&](auto* type) {
    using T = __typeof__(*type);
    const Inputs<T> in{ptr<T>(q), ptr<T>(k), ptr<T>(v), ptr<float>(g), ptr<float>(beta)};
    forward(of(device), in, h, ptr<int32_t>(doc_start), ptr<T>(o), ptr<float>(states),
            ptr<float>(scratch));
  };
  dtype == LN_BF16 ? with(ptr<bf16>(0)) : with(ptr<float>(0));
  return LN_OK;
}

int ln_delta_rule_bwd(int64_t device, int64_t dout, int64_t q, int64_t k, int64_t v, int64_t g,
                      int64_t beta, int64_t doc_start, int64_t states, int64_t dq, int64_t dk,
                      int64_t dv, int64_t dg, int64_t dbeta, int64_t scratch, int64_t M,
                      int64_t key_heads, int64_t heads, int64_t K, int64_t V, int32_t dtype) {
  const Heads h{M, key_heads, heads, K, V};
  auto with = [&](auto* type) {
    using T = __typeof__(*type);
    const Inputs<T> in{ptr<T>(q), ptr<T>(k), ptr<T>(v), ptr<float>(g), ptr<float>(beta)};
    const Gradients<T> out{ptr<T>(dout), ptr<T>(dq),     ptr<T>(dk),
                           ptr<T>(dv),   ptr<float>(dg), ptr<float>(dbeta)};
    backward(of(device), in, out, h, ptr<int32_t>(doc_start), ptr<float>(states),
             ptr<float>(scratch));
  };
  dtype == LN_BF16 ? with(ptr<bf16>(0)) : with(ptr<float>(0));
  return LN_OK;
}

int ln_cached_delta_rule_fwd(int64_t device, int64_t q, int64_t k, int64_t v, int64_t g,
                             int64_t beta, int64_t start, int64_t count, int64_t state, int64_t o,
                             int64_t T, int64_t key_heads, int64_t heads, int64_t K, int64_t V,
                             int32_t dtype) {
  const Heads h{T, key_heads, heads, K, V};
  auto with = [&](auto* type) {
    using E = __typeof__(*type);
    const Inputs<E> in{ptr<E>(q), ptr<E>(k), ptr<E>(v), ptr<float>(g), ptr<float>(beta)};
    cached(of(device), in, h, *ptr<int32_t>(start), *ptr<int32_t>(count), ptr<float>(state),
           ptr<E>(o));
  };
  dtype == LN_BF16 ? with(ptr<bf16>(0)) : with(ptr<float>(0));
  return LN_OK;
}

}  // namespace LN_ISA
}  // namespace ln

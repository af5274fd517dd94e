// Causal attention over a packed row of documents, forward and backward, with grouped heads,
// sliding window and soft cap. (Full attention between groups is in group_attention.cpp.)
//                                      after Dao 2023 (FlashAttention-2)
//
//   s = cap(scale q k^T),  p = softmax(s over visible keys),  o = p v,  lse = log sum exp s
//   dv = p^T do,  ds = p (do v^T - rowsum(do o)) cap'(s) scale,  dq = ds k,  dk = ds^T q
//
// A unit of work is one document and head (forward) or one document and kv_head (backward, whose
// query heads add into the same dk, dv): units write disjoint outputs, so results do not depend on
// which thread runs which. Within a unit, kRows queries at a time see all their
// keys at once: the score tile [kRows, document] stays in L2, and no running softmax is needed.
// Work: 4 D flops for each visible pair and head forward, 10 D backward. Bound by arithmetic.
#include <math.h>
#include <omp.h>

#include "cpu/ops/group_attention.h"
#include "cpu/ops/small_gemm.h"

namespace ln {
namespace LN_ISA {
namespace {

constexpr int64_t kRows = 32;  // queries of a tile

int64_t padded(int64_t n) { return (n + 31) / 32 * 32; }

struct Heads {
  int64_t M, heads, kv_heads, D;
  float scale, softcap;
  int64_t window;

  int64_t group() const { return heads / kv_heads; }
};

struct Document {
  int64_t start, length;
};

// Where the document starting at `start` ends: documents are runs of equal doc_start.
int64_t end_of(const int32_t* doc_start, int64_t start, int64_t M) {
  int64_t end = start + 1;
  while (end < M && doc_start[end] == start) end++;
  return end;
}

template <typename T>
void gather(const T* x, int64_t heads, int64_t head, int64_t D, int64_t from, int64_t rows,
            float* y) {
  for (int64_t i = 0; i < rows; i++) {
    const T* row = x + ((from + i) * heads + head) * D;
    for (int64_t d = 0; d < D; d++) y[i * D + d] = load(row[d]);
  }
}

template <typename T>
void gather_transposed(const T* x, int64_t heads, int64_t head, int64_t D, int64_t from,
                       int64_t rows, int64_t stride, float* y) {
  for (int64_t i = 0; i < rows; i++) {
    const T* row = x + ((from + i) * heads + head) * D;
    for (int64_t d = 0; d < D; d++) y[d * stride + i] = load(row[d]);
  }
  for (int64_t d = 0; d < D; d++)
    for (int64_t i = rows; i < stride; i++) y[d * stride + i] = 0.0f;
}

template <typename T>
void scatter(const float* y, int64_t heads, int64_t head, int64_t D, int64_t from, int64_t rows,
             T* x) {
  for (int64_t i = 0; i < rows; i++) {
    T* row = x + ((from + i) * heads + head) * D;
    for (int64_t d = 0; d < D; d++) store(row + d, y[i * D + d]);
  }
}

// The keys that rows [i0, i1) of a document can see, rounded out to whole vectors.
struct Keys {
  int64_t first, count;

  Keys(const Heads& h, int64_t i0, int64_t i1) {
    int64_t low = h.window > 0 ? hi(i0 - h.window + 1, int64_t(0)) : 0;
    first = low / 32 * 32;
    count = padded(i1 - first);
  }
};

// Scales, caps and masks the score tile; keys are relative to `keys.first`.
void mask(const Heads& h, const Keys& keys, int64_t i, float* s) {
  if (h.softcap > 0) {
    float inner = h.scale / h.softcap;
#pragma omp simd
    for (int64_t j = 0; j < keys.count; j++) s[j] = h.softcap * fast_tanh(s[j] * inner);
  } else {
#pragma omp simd
    for (int64_t j = 0; j < keys.count; j++) s[j] *= h.scale;
  }
  int64_t low = h.window > 0 ? hi(i - h.window + 1 - keys.first, int64_t(0)) : 0;
  for (int64_t j = 0; j < low; j++) s[j] = -kInfinity;
  for (int64_t j = i - keys.first + 1; j < keys.count; j++) s[j] = -kInfinity;
}

// Softmax without the division: exponentials in place, their sum and the row's maximum.
float exponentials(float* s, int64_t n, float* most) {
  float top = -kInfinity;
#pragma omp simd reduction(max : top)
  for (int64_t j = 0; j < n; j++) top = hi(top, s[j]);
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t j = 0; j < n; j++) {
    s[j] = fast_exp(s[j] - top);
    sum += s[j];
  }
  *most = top;
  return sum;
}

// Floats of scratch a thread needs for documents of at most `length` tokens.
int64_t floats_per_thread(int64_t length, int64_t D, bool backward) {
  int64_t keys = padded(length) + 32;
  return backward ? 6 * keys * D + 2 * kRows * keys + 5 * kRows * D
                  : 2 * keys * D + kRows * keys + 2 * kRows * D;
}

template <typename T>
void forward(const Heads& h, const T* q, const T* k, const T* v, T* o, float* lse,
             const Document& doc, int64_t head, float* scratch) {
  int64_t D = h.D, start = doc.start, stride = padded(doc.length) + 32, kv = head / h.group();
  float *kt = scratch, *vs = kt + stride * D, *s = vs + stride * D, *qs = s + kRows * stride,
        *os = qs + kRows * D;
  gather_transposed(k, h.kv_heads, kv, D, doc.start, doc.length, stride, kt);
  gather(v, h.kv_heads, kv, D, doc.start, doc.length, vs);
  memset(vs + doc.length * D, 0, size_t((stride - doc.length) * D * 4));
  for (int64_t i0 = 0; i0 < doc.length; i0 += kRows) {
    int64_t rows = lo(kRows, doc.length - i0);
    Keys keys(h, i0, i0 + rows);
    gather(q, h.heads, head, D, start + i0, rows, qs);
    run(SmallGemm{rows, keys.count, D, qs, D, 1, kt + keys.first, stride, s, stride, false});
    for (int64_t i = 0; i < rows; i++) {
      float* row = s + i * stride;
      mask(h, keys, i0 + i, row);
      float most, sum = exponentials(row, keys.count, &most), inverse = 1.0f / sum;
#pragma omp simd
      for (int64_t j = 0; j < keys.count; j++) row[j] *= inverse;
      lse[head * h.M + start + i0 + i] = most + logf(sum);
    }
    run(SmallGemm{rows, D, keys.count, s, stride, 1, vs + keys.first * D, D, os, D, false});
    scatter(os, h.heads, head, D, start + i0, rows, o);
  }
}

template <typename T>
struct Backward {
  const T *dout, *q, *k, *v, *o;
  const float* lse;
  T *dq, *dk, *dv;

  void run_unit(const Heads& h, const Document& doc, int64_t kv, float* scratch) const {
    int64_t D = h.D, start = doc.start, stride = padded(doc.length) + 32;
    float *kt = scratch, *vt = kt + stride * D, *ks = vt + stride * D, *dks = ks + stride * D,
          *dvs = dks + stride * D, *s = dvs + stride * D, *dp = s + kRows * stride,
          *qs = dp + kRows * stride, *dos = qs + kRows * D, *os = dos + kRows * D,
          *dqs = os + kRows * D;
    gather_transposed(k, h.kv_heads, kv, D, doc.start, doc.length, stride, kt);
    gather_transposed(v, h.kv_heads, kv, D, doc.start, doc.length, stride, vt);
    gather(k, h.kv_heads, kv, D, doc.start, doc.length, ks);
    memset(ks + doc.length * D, 0, size_t((stride - doc.length) * D * 4));
    memset(dks, 0, size_t(stride * D * 4));
    memset(dvs, 0, size_t(stride * D * 4));
    for (int64_t head = kv * h.group(); head < (kv + 1) * h.group(); head++)
      for (int64_t i0 = 0; i0 < doc.length; i0 += kRows) {
        int64_t rows = lo(kRows, doc.length - i0);
        Keys keys(h, i0, i0 + rows);
        gather(q, h.heads, head, D, start + i0, rows, qs);
        gather(dout, h.heads, head, D, start + i0, rows, dos);
        gather(o, h.heads, head, D, start + i0, rows, os);
        run(SmallGemm{rows, keys.count, D, qs, D, 1, kt + keys.first, stride, s, stride, false});
        run(SmallGemm{rows, keys.count, D, dos, D, 1, vt + keys.first, stride, dp, stride, false});
        for (int64_t i = 0; i < rows; i++)
          scores(h, keys, i0 + i, lse[head * h.M + start + i0 + i], dos + i * D, os + i * D,
                 s + i * stride, dp + i * stride);
        run(SmallGemm{keys.count, D, rows, s, 1, stride, dos, D, dvs + keys.first * D, D, true});
        run(SmallGemm{keys.count, D, rows, dp, 1, stride, qs, D, dks + keys.first * D, D, true});
        run(SmallGemm{rows, D, keys.count, dp, stride, 1, ks + keys.first * D, D, dqs, D, false});
        scatter(dqs, h.heads, head, D, start + i0, rows, dq);
      }
    scatter(dks, h.kv_heads, kv, D, doc.start, doc.length, dk);
    scatter(dvs, h.kv_heads, kv, D, doc.start, doc.length, dv);
  }

  // s becomes p, dp becomes ds, for one row.
  static void scores(const Heads& h, const Keys& keys, int64_t i, float lse, const float* dout,
                     const float* out, float* s, float* dp) {
    float delta = 0;
#pragma omp simd reduction(+ : delta)
    for (int64_t d = 0; d < h.D; d++) delta += dout[d] * out[d];
    if (h.softcap > 0) {
      // By the score as it was: from one at the cap its slope could not be told.
      float inner = h.scale / h.softcap;
#pragma omp simd
      for (int64_t j = 0; j < keys.count; j++)
        dp[j] = (dp[j] - delta) * tanh_slope(s[j] * inner) * h.scale;
    } else {
#pragma omp simd
      for (int64_t j = 0; j < keys.count; j++) dp[j] = (dp[j] - delta) * h.scale;
    }
    mask(h, keys, i, s);
#pragma omp simd
    for (int64_t j = 0; j < keys.count; j++) {
      s[j] = fast_exp(s[j] - lse);
      dp[j] *= s[j];
    }
  }
};

// Calls run(document, head, thread's scratch) for every document and head.
template <typename Run>
void each_unit(const Device* device, const Heads& h, const int32_t* doc_start, int64_t heads,
               bool backward, float* scratch, Run run) {
  int64_t longest = 0;
  for (int64_t start = 0; start < h.M;) {
    int64_t end = end_of(doc_start, start, h.M);
    longest = hi(longest, end - start);
    start = end;
  }
  int64_t stride = floats_per_thread(longest, h.D, backward);
#pragma omp parallel num_threads(device->threads)
  {
    float* mine = scratch + omp_get_thread_num() * stride;
    for (int64_t start = 0; start < h.M;) {
      Document doc{start, end_of(doc_start, start, h.M) - start};
#pragma omp for schedule(dynamic, 1) nowait
      for (int64_t head = 0; head < heads; head++) run(doc, head, mine);
      start += doc.length;
    }
  }
}

}  // namespace

// LN_INVALID if attention is full between groups and has what only documents have.
static int check_groups(const Heads& h, int64_t k_group) {
  if (!k_group || (h.softcap == 0 && h.window == 0 && h.heads == h.kv_heads)) return LN_OK;
  return fail(LN_INVALID, "attention between groups has no softcap, window or grouped heads");
}

int64_t ln_attention_scratch(int64_t device, int64_t M, int64_t heads, int64_t D,
                             int64_t max_document, int64_t q_group, int64_t k_group,
                             int32_t backward, int32_t dtype) {
  if (k_group)
    return GroupAttention{of(device), M / q_group, heads, D, q_group, k_group, 1, dtype, nullptr}
        .scratch_bytes(backward);
  return floats_per_thread(max_document, D, backward) * 4 * of(device)->threads;
}

int ln_attention_fwd(int64_t device, int64_t q, int64_t k, int64_t v, int64_t bounds, int64_t o,
                     int64_t lse, int64_t scratch, int64_t M, int64_t heads, int64_t kv_heads,
                     int64_t D, float scale, float softcap, int64_t window, int64_t q_group,
                     int64_t k_group, int32_t dtype) {
  Heads h{M, heads, kv_heads, D, scale, softcap, window};
  LN_TRY(check_groups(h, k_group));
  if (k_group)
    return GroupAttention{of(device), M / q_group,         heads, D, q_group, k_group, scale,
                          dtype,      ptr<int32_t>(bounds)}
        .forward(q, k, v, o, lse, scratch);
  auto with = [&](auto* type) {
    using T = __typeof__(*type);
    each_unit(of(device), h, ptr<int32_t>(bounds), heads, false, ptr<float>(scratch),
              [&](const Document& doc, int64_t head, float* mine) {
                forward(h, ptr<T>(q), ptr<T>(k), ptr<T>(v), ptr<T>(o), ptr<float>(lse), doc, head,
                        mine);
              });
  };
  dtype == LN_BF16 ? with(ptr<bf16>(0)) : with(ptr<float>(0));
  return LN_OK;
}

int ln_attention_bwd(int64_t device, int64_t dout, int64_t q, int64_t k, int64_t v, int64_t o,
                     int64_t lse, int64_t bounds, int64_t dq, int64_t dk, int64_t dv,
                     int64_t scratch, int64_t M, int64_t heads, int64_t kv_heads, int64_t D,
                     float scale, float softcap, int64_t window, int64_t q_group, int64_t k_group,
                     int32_t dtype) {
  Heads h{M, heads, kv_heads, D, scale, softcap, window};
  LN_TRY(check_groups(h, k_group));
  if (k_group)
    return GroupAttention{of(device), M / q_group,         heads, D, q_group, k_group, scale,
                          dtype,      ptr<int32_t>(bounds)}
        .backward(dout, q, k, v, o, lse, dq, dk, dv, scratch);
  auto with = [&](auto* type) {
    using T = __typeof__(*type);
    Backward<T> backward{ptr<T>(dout),    ptr<T>(q),  ptr<T>(k),  ptr<T>(v), ptr<T>(o),
                         ptr<float>(lse), ptr<T>(dq), ptr<T>(dk), ptr<T>(dv)};
    each_unit(
        of(device), h, ptr<int32_t>(bounds), kv_heads, true, ptr<float>(scratch),
        [&](const Document& doc, int64_t kv, float* mine) { backward.run_unit(h, doc, kv, mine); });
  };
  dtype == LN_BF16 ? with(ptr<bf16>(0)) : with(ptr<float>(0));
  return LN_OK;
}

}  // namespace LN_ISA
}  // namespace ln

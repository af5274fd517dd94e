// Attention against a key-value cache, for generation. T is 1 for a new token, up to a chunk for a
// prompt. A unit of work is one query token and head. Bound by reading the cache.
#include <math.h>

#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {
namespace {

struct Call {
  int64_t start, T, heads, kv_heads, D;
  float scale, softcap;
  int64_t window;
};

template <typename E>
void attend(const Device* device, const Call& c, const E* q, const E* k_cache, const E* v_cache,
            E* o, float* lse, float* scratch, int64_t capacity) {
#pragma omp parallel for collapse(2) num_threads(device->threads) schedule(static)
  for (int64_t t = 0; t < c.T; t++)
    for (int64_t head = 0; head < c.heads; head++) {
      float* s = scratch + (t * c.heads + head) * (capacity + c.D);
      float* sum_v = s + capacity;
      const E* query = q + (t * c.heads + head) * c.D;
      int64_t kv = head / (c.heads / c.kv_heads), last = c.start + t;
      int64_t first = c.window > 0 ? hi(last - c.window + 1, int64_t(0)) : 0;
      float top = -kInfinity;
      for (int64_t j = first; j <= last; j++) {
        const E* key = k_cache + (j * c.kv_heads + kv) * c.D;
        float dot = 0;
#pragma omp simd reduction(+ : dot)
        for (int64_t d = 0; d < c.D; d++) dot += load(query[d]) * load(key[d]);
        dot *= c.scale;
        if (c.softcap > 0) dot = c.softcap * fast_tanh(dot / c.softcap);
        s[j] = dot;
        top = hi(top, dot);
      }
      float sum = 0;
#pragma omp simd reduction(+ : sum)
      for (int64_t j = first; j <= last; j++) {
        s[j] = fast_exp(s[j] - top);
        sum += s[j];
      }
      if (lse) lse[head * c.T + t] = top + logf(sum);
      for (int64_t d = 0; d < c.D; d++) sum_v[d] = 0.0f;
      for (int64_t j = first; j <= last; j++) {
        const E* value = v_cache + (j * c.kv_heads + kv) * c.D;
        float p = s[j] / sum;
#pragma omp simd
        for (int64_t d = 0; d < c.D; d++) sum_v[d] += p * load(value[d]);
      }
      E* out = o + (t * c.heads + head) * c.D;
      for (int64_t d = 0; d < c.D; d++) store(out + d, sum_v[d]);
    }
}

}  // namespace

int64_t ln_cached_attention_scratch(int64_t, int64_t T, int64_t capacity, int64_t heads,
                                    int64_t D) {
  return T * heads * (capacity + D) * 4;
}

int ln_cached_attention_fwd(int64_t device, int64_t q, int64_t k, int64_t v, int64_t k_cache,
                            int64_t v_cache, int64_t start, int64_t o, int64_t lse, int64_t scratch,
                            int64_t T, int64_t capacity, int64_t heads, int64_t kv_heads, int64_t D,
                            float scale, float softcap, int64_t window, int32_t dtype) {
  int64_t from = *ptr<int32_t>(start);
  if (from < 0 || from + T > capacity)
    return fail(LN_INVALID, "positions %lld to %lld are beyond the cache of %lld", (long long)from,
                (long long)(from + T), (long long)capacity);
  Call call{from, T, heads, kv_heads, D, scale, softcap, window};
  auto with = [&](auto* type) {
    using E = __typeof__(*type);
    int64_t row = kv_heads * D;
    memcpy(ptr<E>(k_cache) + from * row, ptr<E>(k), size_t(T * row) * sizeof(E));
    memcpy(ptr<E>(v_cache) + from * row, ptr<E>(v), size_t(T * row) * sizeof(E));
    attend(of(device), call, ptr<E>(q), ptr<E>(k_cache), ptr<E>(v_cache), ptr<E>(o),
           ptr<float>(lse), ptr<float>(scratch), capacity);
  };
  dtype == LN_BF16 ? with(ptr<bf16>(0)) : with(ptr<float>(0));
  return LN_OK;
}

}  // namespace LN_ISA
}  // namespace ln

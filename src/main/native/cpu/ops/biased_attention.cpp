// T5's attention: full within a text but for its padding, a learnt number for each head and
// distance added to the scores, no scale.                                Raffel et al. 2020
//
//   s = q k^T + bias[j - i],  p = softmax(s),  o = p v
//
// A thread has a text, head and block of queries. Texts are encoded once, before the first step,
// and the products around this take nearly all of that time, so these are plain loops, in f32.
#include <math.h>

#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {
namespace {

constexpr int64_t kQueries = 32, kMostTokens = 1024, kMostWidth = 256;

template <typename T>
void attend(const Device* device, const T* q, const T* k, const T* v, const T* bias,
            const int32_t* padding, T* o, int64_t B, int64_t tokens, int64_t heads, int64_t D) {
  int64_t blocks = (tokens + kQueries - 1) / kQueries, C = heads * D;
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t unit = 0; unit < B * heads * blocks; unit++) {
    int64_t b = unit / blocks / heads, head = unit / blocks % heads,
            first = unit % blocks * kQueries, seen = padding ? tokens - padding[b] : tokens;
    const T *keys = k + b * tokens * C + head * D, *values = v + b * tokens * C + head * D;
    for (int64_t i = first; i < lo(first + kQueries, tokens); i++) {
      const T* query = q + (b * tokens + i) * C + head * D;
      float scores[kMostTokens], sums[kMostWidth] = {}, most = -kInfinity, total = 0;
      for (int64_t j = 0; j < seen; j++) {
        float dot = 0;
#pragma omp simd reduction(+ : dot)
        for (int64_t d = 0; d < D; d++) dot += load(query[d]) * load(keys[j * C + d]);
        scores[j] = dot + load(bias[(j - i + tokens - 1) * heads + head]);
        most = hi(most, scores[j]);
      }
      for (int64_t j = 0; j < seen; j++) {
        float p = fast_exp(scores[j] - most);
        total += p;
#pragma omp simd
        for (int64_t d = 0; d < D; d++) sums[d] += p * load(values[j * C + d]);
      }
      T* to = o + (b * tokens + i) * C + head * D;
      for (int64_t d = 0; d < D; d++) store(to + d, sums[d] / total);
    }
  }
}

}  // namespace

int ln_biased_attention_fwd(int64_t device, int64_t q, int64_t k, int64_t v, int64_t bias,
                            int64_t padding, int64_t o, int64_t B, int64_t T, int64_t heads,
                            int64_t D, int32_t dtype) {
  if (T > kMostTokens || D > kMostWidth)
    return fail(LN_INVALID, "texts of %lld tokens in heads of width %lld", (long long)T,
                (long long)D);
  auto run = [&](auto* type) {
    using E = __typeof__(*type);
    attend(of(device), ptr<E>(q), ptr<E>(k), ptr<E>(v), ptr<E>(bias), ptr<int32_t>(padding),
           ptr<E>(o), B, T, heads, D);
  };
  dtype == LN_BF16 ? run(ptr<bf16>(0)) : run(ptr<float>(0));
  return LN_OK;
}

}  // namespace LN_ISA
}  // namespace ln

// T5's attention: o = softmax(q k^T + bias[j - i]) v, full within a text but for its padding, no
// scale, forward alone.
//                                                                         Raffel et al. 2020
// A warp for a query and head. Its lanes share the keys, each with whole dot products, leave the
// scores in shared memory (4 KB a warp at 1024 tokens), then share the channels of v. Bound by
// reads of k and v from L2: 2 tokens D numbers for each query and head, 8.6 GB for 512 tokens and
// 64 heads of 64 in bf16, 2 ms a layer on an H100. A caption is encoded once, so it stays this
// simple.
#include "biased_attention.h"
#include "gpu.cuh"

template <typename T>
LN_DEVICE void biased_attention(const T* q, const T* k, const T* v, const T* bias,
                                const i32* padding, T* o, i64 rows, i64 tokens, i64 heads, i64 D) {
  LN_DYNAMIC_SHARED(float, shared);
  const i64 unit = warp_row(), C = heads * D;
  if (unit >= rows * heads) return;  // the whole warp
  const i64 row = unit / heads, head = unit % heads, i = row % tokens;
  const i64 first = (row - i) * C + head * D;  // of the text's first token
  const i64 seen = padding ? tokens - padding[row / tokens] : tokens;
  const int lane = int(threadIdx.x) % 32;
  float* scores = shared + threadIdx.x / 32 * tokens;
  const T* query = q + row * C + head * D;
  float most = negative_infinity();
  for (i64 j = lane; j < seen; j += 32) {
    const T* key = k + first + j * C;
    float dot = load(bias[(j - i + tokens - 1) * heads + head]);
#pragma unroll 8
    for (i64 d = 0; d < D; d++) dot += load(query[d]) * load(key[d]);
    scores[j] = dot;
    most = fmaxf(most, dot);
  }
  most = warp_max(most);
  float total = 0;
  for (i64 j = lane; j < seen; j += 32) {
    scores[j] = expf(scores[j] - most);
    total += scores[j];
  }
  total = warp_sum(total);
  __syncwarp();
  for (i64 d = lane; d < D; d += 32) {
    float sum = 0;
#pragma unroll 4
    for (i64 j = 0; j < seen; j++) sum += scores[j] * load(v[first + j * C + d]);
    store(o + row * C + head * D + d, sum / total);
  }
}

LN_INSTANCES((BiasedTile::kThreads), biased_attention,
             (const T* q, const T* k, const T* v, const T* bias, const i32* padding, T* o, i64 rows,
              i64 tokens, i64 heads, i64 D),
             biased_attention(q, k, v, bias, padding, o, rows, tokens, heads, D))

// Attention, plain: one warp for a query (or key) and head.            after Dao 2023
//
//   s = cap(scale q k^T),  p = softmax(s),  o = p v,  lse = log sum exp s
//   dv = p^T do,  ds = p (do v^T - rowsum(do o)) cap'(s) scale,  dq = ds k,  dk = ds^T q
//
// A lane holds channels lane, lane + 32, ... of its row; a score is a warp sum. Forward keeps a
// running maximum. Backward is two kernels, by query and by key, so that nobody adds to what
// another wrote: no atomics, bit-equal always. FLOPs as the formulas; bound by the warp sums. Two
// instances of each: heads of at most 256 channels, and of 512 (a Stable Diffusion VAE has one such
// head). This is the variant that tiled ones are checked against.
#include "attention.h"
#include "gpu.cuh"
#include "logistic.cuh"
#include "visible.cuh"

template <typename T, int PER_LANE>
LN_DEVICE void read_row(const T* x, i64 D, float (&y)[PER_LANE]) {
  for (int i = 0; i < PER_LANE; i++) {
    i64 d = i64(threadIdx.x % 32) + 32 * i;
    y[i] = d < D ? load(x[d]) : 0.0f;
  }
}

template <typename T, int PER_LANE>
LN_DEVICE void write_row(T* y, i64 D, const float (&x)[PER_LANE], float factor) {
  for (int i = 0; i < PER_LANE; i++) {
    i64 d = i64(threadIdx.x % 32) + 32 * i;
    if (d < D) store(y + d, x[i] * factor);
  }
}

template <int PER_LANE>
LN_DEVICE float dot(const float (&x)[PER_LANE], const float (&y)[PER_LANE]) {
  float sum = 0;
  for (int i = 0; i < PER_LANE; i++) sum += x[i] * y[i];
  return warp_sum(sum);
}

// The score and the slope of the cap there.
LN_DEVICE float score(float product, const AttentionArguments& a, float* slope) {
  float s = product * a.scale;
  *slope = 1.0f;
  if (a.softcap > 0) {
    const float x = s / a.softcap;
    *slope = tanh_slope(x);
    s = a.softcap * tanhf(x);
  }
  return s;
}

// start not null: keys are the rows of a cache, and query m stands at row *start + m.
template <int PER_LANE, typename T>
LN_DEVICE void attention_fwd(const T* q, const T* k, const T* v, const i32* bounds,
                             const i32* start, T* o, float* lse, const AttentionArguments& a) {
  i64 row = warp_row();
  if (row >= a.M * a.heads) return;
  i64 m = row / a.heads, head = row % a.heads, kv = head / (a.heads / a.kv_heads);
  i64 first, end;
  if (start) {
    end = i64(*start) + m + 1;
    first = a.window > 0 && end > a.window ? end - a.window : 0;
  } else {
    Visible visible(i32(m), bounds, a);
    first = visible.first;
    end = visible.end;
  }
  float query[PER_LANE], sum[PER_LANE] = {};
  read_row(q + row * a.D, a.D, query);
  float most = negative_infinity(), total = 0;
  for (i64 j = first; j < end; j++) {
    float key[PER_LANE], value[PER_LANE], slope;
    read_row(k + (j * a.kv_heads + kv) * a.D, a.D, key);
    float s = score(dot(query, key), a, &slope);
    float higher = fmaxf(most, s), fade = expf(most - higher), p = expf(s - higher);
    read_row(v + (j * a.kv_heads + kv) * a.D, a.D, value);
    for (int i = 0; i < PER_LANE; i++) sum[i] = sum[i] * fade + p * value[i];
    total = total * fade + p;
    most = higher;
  }
  write_row(o + row * a.D, a.D, sum, 1.0f / total);
  if (lse && threadIdx.x % 32 == 0) lse[head * a.M + m] = most + logf(total);
}

template <int PER_LANE, typename T>
LN_DEVICE void attention_dq(const T* dout, const T* q, const T* k, const T* v, const T* o,
                            const float* lse, const i32* bounds, T* dq,
                            const AttentionArguments& a) {
  i64 row = warp_row();
  if (row >= a.M * a.heads) return;
  i64 m = row / a.heads, head = row % a.heads, kv = head / (a.heads / a.kv_heads);
  float query[PER_LANE], gradient[PER_LANE], out[PER_LANE], sum[PER_LANE] = {};
  read_row(q + row * a.D, a.D, query);
  read_row(dout + row * a.D, a.D, gradient);
  read_row(o + row * a.D, a.D, out);
  float delta = dot(gradient, out), log_sum = lse[head * a.M + m];
  const Visible visible(i32(m), bounds, a);
  for (i32 j = visible.first; j < visible.end; j++) {
    float key[PER_LANE], value[PER_LANE], slope;
    read_row(k + (j * a.kv_heads + kv) * a.D, a.D, key);
    read_row(v + (j * a.kv_heads + kv) * a.D, a.D, value);
    float p = expf(score(dot(query, key), a, &slope) - log_sum);
    float ds = p * (dot(gradient, value) - delta) * slope * a.scale;
    for (int i = 0; i < PER_LANE; i++) sum[i] += ds * key[i];
  }
  write_row(dq + row * a.D, a.D, sum, 1.0f);
}

template <int PER_LANE, typename T>
LN_DEVICE void attention_dkv(const T* dout, const T* q, const T* k, const T* v, const T* o,
                             const float* lse, const i32* bounds, T* dk, T* dv,
                             const AttentionArguments& a) {
  i64 row = warp_row();
  if (row >= a.keys * a.kv_heads) return;
  i64 j = row / a.kv_heads, kv = row % a.kv_heads, group = a.heads / a.kv_heads;
  float key[PER_LANE], value[PER_LANE];
  float sum_k[PER_LANE] = {}, sum_v[PER_LANE] = {};
  read_row(k + row * a.D, a.D, key);
  read_row(v + row * a.D, a.D, value);
  for (i32 m = first_query(i32(j), a); m < a.M && Visible(m, bounds, a).sees(i32(j)); m++)
    for (i64 head = kv * group; head < (kv + 1) * group; head++) {
      float query[PER_LANE], gradient[PER_LANE], out[PER_LANE], slope;
      read_row(q + (m * a.heads + head) * a.D, a.D, query);
      read_row(dout + (m * a.heads + head) * a.D, a.D, gradient);
      read_row(o + (m * a.heads + head) * a.D, a.D, out);
      float p = expf(score(dot(query, key), a, &slope) - lse[head * a.M + m]);
      float ds = p * (dot(gradient, value) - dot(gradient, out)) * slope * a.scale;
      for (int i = 0; i < PER_LANE; i++) {
        sum_k[i] += ds * query[i];
        sum_v[i] += p * gradient[i];
      }
    }
  write_row(dk + row * a.D, a.D, sum_k, 1.0f);
  write_row(dv + row * a.D, a.D, sum_v, 1.0f);
}

// Copies n new elements into a cache from row *start on.
template <typename T>
LN_DEVICE void cache_append(const T* x, T* cache, const i32* start, i64 n, i64 row) {
  i64 i = global_thread();
  if (i < n) cache[i64(*start) * row + i] = x[i];
}

#define LN_ATTENTION_INSTANCES(head)                                                             \
  LN_INSTANCES((128, 1), attention_fwd_##head,                                                   \
               (const T* q, const T* k, const T* v, const i32* bounds, const i32* start, T* o,   \
                float* lse, AttentionArguments a),                                               \
               attention_fwd<head / 32>(q, k, v, bounds, start, o, lse, a))                      \
  LN_INSTANCES((128, 1), attention_dq_##head,                                                    \
               (const T* dout, const T* q, const T* k, const T* v, const T* o, const float* lse, \
                const i32* bounds, T* dq, AttentionArguments a),                                 \
               attention_dq<head / 32>(dout, q, k, v, o, lse, bounds, dq, a))                    \
  LN_INSTANCES((128, 1), attention_dkv_##head,                                                   \
               (const T* dout, const T* q, const T* k, const T* v, const T* o, const float* lse, \
                const i32* bounds, T* dk, T* dv, AttentionArguments a),                          \
               attention_dkv<head / 32>(dout, q, k, v, o, lse, bounds, dk, dv, a))
LN_ATTENTION_INSTANCES(256)
LN_ATTENTION_INSTANCES(512)
LN_INSTANCES((128), cache_append, (const T* x, T* cache, const i32* start, i64 n, i64 row),
             cache_append(x, cache, start, n, row))

// Full attention between groups of queries and keys, forward and backward.
//                                      after Dao 2023 (FlashAttention-2)
//
//   s = scale q k^T,  p = softmax(s over keys that are no padding),  o = p v,  lse = log sum exp s
//   dv = p^T do,  ds = p (do v^T - rowsum(do o)) scale,  dq = ds k,  dk = ds^T q
//
// A unit of work is a group and head, and writes what no other unit writes. Its products are
// oneDNN's, run by the unit's thread, operands in the compute dtype and sums in f32. Forward takes
// a block of queries against all keys (k and v packed once for all blocks), backward a block of
// keys against all queries (do and q packed once). In 16 bits p and ds are written over the front
// half of their own f32 row. Work: 4 D flops for each pair and head forward, 10 D backward. Bound
// by the products while D is large or f32, else by the exponentials.
#include "cpu/ops/group_attention.h"

#include <math.h>
#include <omp.h>

#include "cpu/products.h"

namespace ln {
namespace LN_ISA {
namespace {

constexpr int64_t kScores = 1 << 19;  // of a block: 2 MB, a core's L2
constexpr int64_t kChunk = 64;        // scores that a row's rounding holds at a time

int64_t up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

// Blocks of equal size that cover n, a multiple of 32 each (whole steps of the 16-bit products), of
// about kScores / other entries.
int64_t block(int64_t n, int64_t other) {
  int64_t most = lo(hi(kScores / other, int64_t(32)), int64_t(1024));
  int64_t blocks = (n + most - 1) / most;
  return up((n + blocks - 1) / blocks, 32);
}

// Pieces of one thread's scratch.
struct Layout {
  int64_t bytes = 0;
  int64_t take(int64_t n) {
    int64_t at = bytes;
    bytes += up(n, 64);
    return at;
  }
};

// Writes f(j) for j < n over the front of the same row as T. f reads the row at j.
template <typename T, typename F>
void rewrite(float* row, int64_t n, F f) {
  T* to = reinterpret_cast<T*>(row);
  float chunk[kChunk];
  for (int64_t j = 0; j < n; j += kChunk) {
    int64_t count = lo(kChunk, n - j);
#pragma omp simd
    for (int64_t i = 0; i < count; i++) chunk[i] = f(j + i);
#pragma omp simd
    for (int64_t i = 0; i < count; i++) store(to + j + i, chunk[i]);
  }
}

template <typename T>
int64_t pitch(int64_t floats) {
  return floats * 4 / int64_t(sizeof(T));
}

template <typename T>
struct Forward {
  const GroupAttention& h;
  int64_t rows, s_stride, chunks;
  const TileProduct *scores, *values;
  int64_t k_at, v_at, s_at, o_at, scratch_at, bytes;

  explicit Forward(const GroupAttention& h_) : h(h_) {
    int64_t C = h.heads * h.D, units = h.groups * h.heads;
    rows = lo(block(h.queries, h.keys), h.queries);
    s_stride = up(h.keys, 32) + 16;  // not a power of 2, whose rows would share cache sets
    // Queries of a head are shared out only where there are more threads than heads.
    chunks = lo((h.device->threads + units - 1) / units, (h.queries + rows - 1) / rows);
    scores = tile_product(h.device,
                          {rows, h.keys, h.D, false, true, C, C, s_stride, h.dtype, true, false});
    values = tile_product(h.device, {rows, h.D, h.keys, false, false, pitch<T>(s_stride), C, h.D,
                                     h.dtype, true, false});
    if (!ready()) return;
    Layout at;
    k_at = at.take(tile_packed_bytes(scores));
    v_at = at.take(tile_packed_bytes(values));
    s_at = at.take(rows * s_stride * 4);
    o_at = at.take(rows * h.D * 4);
    scratch_at = at.take(hi(tile_scratch_bytes(scores), tile_scratch_bytes(values)));
    bytes = up(at.bytes, 4096);
  }

  bool ready() const { return scores && values; }

  int unit(const T* q, const T* k, const T* v, T* o, float* lse, int64_t unit, int64_t chunk,
           char* at) const {
    int64_t C = h.heads * h.D, group = unit / h.heads, head = unit % h.heads;
    int64_t from_q = group * h.queries, from_k = group * h.keys;
    float *s = reinterpret_cast<float*>(at + s_at), *sum_o = reinterpret_cast<float*>(at + o_at);
    LN_TRY(tile_pack(scores, k + from_k * C + head * h.D, at + k_at));
    LN_TRY(tile_pack(values, v + from_k * C + head * h.D, at + v_at));
    int64_t blocks = (h.queries + rows - 1) / rows;
    for (int64_t i = chunk * blocks / chunks; i < (chunk + 1) * blocks / chunks; i++) {
      // The last block begins early enough to be whole; its first rows are another block's.
      int64_t row = lo(i * rows, h.queries - rows), skip = i * rows - row, first = from_q + row;
      LN_TRY(tile_run(scores, q + first * C + head * h.D, at + k_at, s, at + scratch_at));
      float inverse[1024];
      for (int64_t r = skip; r < rows; r++) {
        float top, sum = exponentials(s + r * s_stride, h.seen(group), &top);
        inverse[r] = 1.0f / sum;
        lse[head * h.groups * h.queries + first + r] = top + logf(sum);
      }
      LN_TRY(tile_run(values, s, at + v_at, sum_o, at + scratch_at));
      for (int64_t r = skip; r < rows; r++) {
        T* to = o + (first + r) * C + head * h.D;
#pragma omp simd
        for (int64_t d = 0; d < h.D; d++) store(to + d, sum_o[r * h.D + d] * inverse[r]);
      }
    }
    return LN_OK;
  }

  // Leaves exp(scale s - top) of the n keys seen in a row, as T; its sum and top.
  float exponentials(float* s, int64_t n, float* top) const {
    float most = -kInfinity, sum = 0, scale = h.scale;
#pragma omp simd reduction(max : most)
    for (int64_t j = 0; j < n; j++) most = hi(most, s[j]);
    // A negative scale is nobody's; zero or more keeps the order.
    most *= scale;
#pragma omp simd reduction(+ : sum)
    for (int64_t j = 0; j < n; j++) {
      s[j] = fast_exp(s[j] * scale - most);
      sum += s[j];
    }
    for (int64_t j = n; j < up(h.keys, 32); j++) s[j] = 0;  // padding; what the product asks for
    if (sizeof(T) < 4) rewrite<T>(s, up(h.keys, 32), [s](int64_t j) { return s[j]; });
    *top = most;
    return sum;
  }
};

template <typename T>
struct Backward {
  const GroupAttention& h;
  int64_t width;  // keys of a block
  const TileProduct *scores, *to_q, *to_k;
  int64_t k_at, v_at, s_at, dp_at, dq_at, dk_at, packed_q_at, packed_do_at, delta_at, scratch_at,
      bytes;

  explicit Backward(const GroupAttention& h_) : h(h_) {
    int64_t C = h.heads * h.D;
    width = block(h.keys, h.queries);
    scores = tile_product(
        h.device, {h.queries, width, h.D, false, true, C, h.D, width, h.dtype, false, false});
    to_q = tile_product(h.device, {h.queries, h.D, width, false, false, pitch<T>(width), h.D, h.D,
                                   h.dtype, false, true});
    to_k = tile_product(h.device, {width, h.D, h.queries, true, false, pitch<T>(width), C, h.D,
                                   h.dtype, true, false});
    if (!ready()) return;
    Layout at;
    k_at = at.take(width * h.D * int64_t(sizeof(T)));
    v_at = at.take(width * h.D * int64_t(sizeof(T)));
    s_at = at.take(h.queries * width * 4);
    dp_at = at.take(h.queries * width * 4);
    dq_at = at.take(h.queries * h.D * 4);
    dk_at = at.take(width * h.D * 4);
    packed_q_at = at.take(tile_packed_bytes(to_k));
    packed_do_at = at.take(tile_packed_bytes(to_k));
    delta_at = at.take(h.queries * 4);
    int64_t most = hi(tile_scratch_bytes(scores), tile_scratch_bytes(to_q));
    scratch_at = at.take(hi(most, tile_scratch_bytes(to_k)));
    bytes = up(at.bytes, 4096);
  }

  bool ready() const { return scores && to_q && to_k; }

  // `count` rows of a head, and zeros up to the block's width.
  void gather(const T* x, int64_t count, T* y) const {
    for (int64_t j = 0; j < count; j++)
      memcpy(y + j * h.D, x + j * h.heads * h.D, size_t(h.D) * sizeof(T));
    memset(static_cast<void*>(y + count * h.D), 0, size_t((width - count) * h.D) * sizeof(T));
  }

  void scatter(const float* y, int64_t count, T* x) const {
    for (int64_t j = 0; j < count; j++) {
      T* row = x + j * h.heads * h.D;
#pragma omp simd
      for (int64_t d = 0; d < h.D; d++) store(row + d, y[j * h.D + d]);
    }
  }

  int unit(const T* dout, const T* q, const T* k, const T* v, const T* o, const float* lse, T* dq,
           T* dk, T* dv, int64_t unit, char* at) const {
    int64_t C = h.heads * h.D, group = unit / h.heads, head = unit % h.heads;
    int64_t from_q = group * h.queries * C + head * h.D, from_k = group * h.keys * C + head * h.D;
    lse += head * h.groups * h.queries + group * h.queries;
    T *kj = reinterpret_cast<T*>(at + k_at), *vj = reinterpret_cast<T*>(at + v_at);
    float *s = reinterpret_cast<float*>(at + s_at), *dp = reinterpret_cast<float*>(at + dp_at),
          *sum_q = reinterpret_cast<float*>(at + dq_at),
          *sum_k = reinterpret_cast<float*>(at + dk_at),
          *delta = reinterpret_cast<float*>(at + delta_at);
    char* scratch = at + scratch_at;
    LN_TRY(tile_pack(to_k, q + from_q, at + packed_q_at));
    LN_TRY(tile_pack(to_k, dout + from_q, at + packed_do_at));
    for (int64_t i = 0; i < h.queries; i++) {
      const T *g = dout + from_q + i * C, *y = o + from_q + i * C;
      float sum = 0;
#pragma omp simd reduction(+ : sum)
      for (int64_t d = 0; d < h.D; d++) sum += load(g[d]) * load(y[d]);
      delta[i] = sum;
    }
    memset(sum_q, 0, size_t(h.queries * h.D * 4));
    for (int64_t j = 0; j < h.keys; j += width) {
      int64_t count = lo(width, h.keys - j), seen = lo(count, hi(h.seen(group) - j, int64_t(0)));
      gather(k + from_k + j * C, count, kj);
      gather(v + from_k + j * C, count, vj);
      LN_TRY(tile_run(scores, q + from_q, kj, s, scratch));
      LN_TRY(tile_run(scores, dout + from_q, vj, dp, scratch));
      for (int64_t i = 0; i < h.queries; i++)
        slopes(s + i * width, dp + i * width, seen, lse[i], delta[i]);
      LN_TRY(tile_run(to_k, s, at + packed_do_at, sum_k, scratch));
      scatter(sum_k, count, dv + from_k + j * C);
      LN_TRY(tile_run(to_k, dp, at + packed_q_at, sum_k, scratch));
      scatter(sum_k, count, dk + from_k + j * C);
      LN_TRY(tile_run(to_q, dp, kj, sum_q, scratch));
    }
    scatter(sum_q, h.queries, dq + from_q);
    return LN_OK;
  }

  // s becomes p, dp becomes ds, both as T; zero past what is seen.
  void slopes(float* s, float* dp, int64_t seen, float lse, float delta) const {
    float scale = h.scale;
#pragma omp simd
    for (int64_t j = 0; j < seen; j++) {
      s[j] = fast_exp(s[j] * scale - lse);
      dp[j] = s[j] * (dp[j] - delta) * scale;
    }
    for (int64_t j = seen; j < width; j++) s[j] = dp[j] = 0.0f;
    if (sizeof(T) < 4) {
      rewrite<T>(s, width, [s](int64_t j) { return s[j]; });
      rewrite<T>(dp, width, [dp](int64_t j) { return dp[j]; });
    }
  }
};

// Calls run(index, its thread's scratch) for every index below n; the first error, if any.
template <typename Run>
int each(const Device* device, int64_t n, int64_t scratch, int64_t bytes, Run run) {
  int status = LN_OK;
  char message[512];  // a thread's error is its own
#pragma omp parallel for num_threads(device->threads) schedule(dynamic, 1)
  for (int64_t i = 0; i < n; i++) {
    int mine = run(i, ptr<char>(scratch) + omp_get_thread_num() * bytes);
    if (mine) {
#pragma omp critical
      {
        status = mine;
        strncpy(message, ln_last_error(), sizeof message - 1);
        message[sizeof message - 1] = 0;
      }
    }
  }
  return status ? fail(status, "%s", message) : LN_OK;
}

template <typename Run>
auto typed(int32_t dtype, Run run) {
  return dtype == LN_BF16 ? run(ptr<bf16>(0)) : run(ptr<float>(0));
}

}  // namespace

int64_t GroupAttention::scratch_bytes(bool backward) const {
  return typed(dtype, [&](auto* type) -> int64_t {
    using T = __typeof__(*type);
    if (backward) {
      Backward<T> b(*this);
      return b.ready() ? b.bytes * device->threads : 0;
    }
    Forward<T> f(*this);
    return f.ready() ? f.bytes * device->threads : 0;
  });
}

int GroupAttention::forward(int64_t q, int64_t k, int64_t v, int64_t o, int64_t lse,
                            int64_t scratch) const {
  return typed(dtype, [&](auto* type) {
    using T = __typeof__(*type);
    Forward<T> f(*this);
    if (!f.ready()) return int(LN_FAILED);
    return each(device, groups * heads * f.chunks, scratch, f.bytes, [&](int64_t i, char* at) {
      return f.unit(ptr<T>(q), ptr<T>(k), ptr<T>(v), ptr<T>(o), ptr<float>(lse), i / f.chunks,
                    i % f.chunks, at);
    });
  });
}

int GroupAttention::backward(int64_t dout, int64_t q, int64_t k, int64_t v, int64_t o, int64_t lse,
                             int64_t dq, int64_t dk, int64_t dv, int64_t scratch) const {
  return typed(dtype, [&](auto* type) {
    using T = __typeof__(*type);
    Backward<T> b(*this);
    if (!b.ready()) return int(LN_FAILED);
    return each(device, groups * heads, scratch, b.bytes, [&](int64_t i, char* at) {
      return b.unit(ptr<T>(dout), ptr<T>(q), ptr<T>(k), ptr<T>(v), ptr<T>(o), ptr<float>(lse),
                    ptr<T>(dq), ptr<T>(dk), ptr<T>(dv), i, at);
    });
  });
}

}  // namespace LN_ISA
}  // namespace ln

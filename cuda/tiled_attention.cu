// Attention on the tensor cores, 16-bit in and out, f32 inside.             Dao 2023
// (FlashAttention-2)
//
//   s = cap(scale q k^T),  p = softmax(s),  o = p v,  lse = log sum exp s
//   dv = p^T do,  ds = p (do v^T - delta) cap'(s) scale,  dq = ds k,  dk = ds^T q
//
// fwd, dq: a block of 4 warps owns queries of a head and walks over the keys that any of them sees,
// 32 or 64 at a time: 16 queries a warp, in fwd 32 for heads of at most 96 channels, where the
// registers hold both strips and each fragment of a key is read for two. Scores never leave
// registers: what mma gives for q k^T is, rounded, the left operand of the product with v (or k).
// The running maximum of fwd is corrected when it rises; fwd asks which keys a query sees only in
// tiles that not all of a warp's queries see whole. dkv is dq with the sides exchanged: a block
// owns 64 keys of a key-value head and walks over the queries of all its heads; with heads of more
// than 128 channels dk and dv take one walk each, since both sums would not fit the registers. A
// head of 512 channels has a block for each half of the values in forward, with the scores in both:
// 6 D FLOPs a pair. Backward therefore multiplies q k^T twice (7 products for FlashAttention-2's 5)
// and has no atomics: bit-equal always.
//
// Tiles are fetched by cp.async: in fwd while the product before runs, in backward the second of a
// pair while the first is used. (Fetching a tile further ahead in backward, at one more barrier,
// was 4 to 10 % slower on an H100.) Shared memory: 24 to 88 KB forward, 24 to 80 KB backward.
// FLOPs: 4 D a visible pair forward, 14 D backward. Bound by the tensor cores from about 1000
// visible keys on, below by bytes and by the exponentials. H100 80GB HBM3, counting 4 D and 10 D:
// 125 to 240 TFLOP/s forward, 80 to 140 backward.
#include "score_tiles.cuh"
#include "tile.cuh"
#include "tiled_attention.h"

// A score from its product, and the slope of cap there times scale: in 16 bits 1 - t^2 loses
// nothing up to scores of 6 caps.
LN_DEVICE float capped(float product, const AttentionArguments& a, float* slope) {
  float s = product * a.scale;
  *slope = a.scale;
  if (a.softcap > 0) {
    float t = tanhf(s / a.softcap);
    *slope = a.scale * (1.0f - t * t);
    s = a.softcap * t;
  }
  return s;
}

template <typename Tile, typename T>
struct TiledAttention {
  static constexpr int kHead = Tile::kHead, kValues = Tile::kValues, kThreads = Tile::kThreads;
  typedef SharedTile<T, Tile::kBackwardRows, kHead> Own;

  // Heads are columns of a [rows, heads D] matrix.
  LN_DEVICE static MatrixView<T> head_of(const T* x, i64 rows, i64 heads, i64 head, i64 D) {
    return {x + head * D, heads * D, rows, D};
  }

  // s [16 STRIPS, COLUMNS] = rows of `own` of this warp times rows of `other`, over the channels.
  template <int STRIPS, int COLUMNS>
  LN_DEVICE static void scores(float (&s)[STRIPS][COLUMNS / 8][4], const char* own,
                               const char* other) {
    typedef SharedTile<T, 64 * STRIPS, kHead> Rows;
    typedef SharedTile<T, COLUMNS, kHead> Other;
#pragma unroll
    for (int i = 0; i < STRIPS; i++)
#pragma unroll
      for (int j = 0; j < COLUMNS / 8; j++)
#pragma unroll
        for (int r = 0; r < 4; r++) s[i][j][r] = 0.0f;
#pragma unroll( \
    kHead* STRIPS > 128 ? 1 : 2)  // more would fetch fragments so early that registers run out
    for (int k = 0; k < kHead; k += 16) {
      u32 left[STRIPS][4], right[COLUMNS / 16][4];
      const void* left_rows[STRIPS];
      const void* right_rows[COLUMNS / 16];
#pragma unroll
      for (int i = 0; i < STRIPS; i++) left_rows[i] = Rows::left(own, own_row(STRIPS) + i * 16, k);
#pragma unroll
      for (int j = 0; j < COLUMNS / 16; j++) right_rows[j] = Other::right(other, k, j * 16);
      load_matrices<false>(left, left_rows);
      load_matrices<false>(right, right_rows);
      multiply_tiles<T>(s, left, reinterpret_cast<const u32(&)[COLUMNS / 8][2]>(right));
    }
  }

  // sum [16 STRIPS, D] += x [16 STRIPS, COLUMNS] rows of `other`; x as mma gave it, rounded on the
  // way.
  template <int STRIPS, int COLUMNS, int D8>
  LN_DEVICE static void add_product(float (&sum)[STRIPS][D8][4],
                                    const float (&x)[STRIPS][COLUMNS / 8][4], const char* other) {
    typedef SharedTile<T, COLUMNS, D8 * 8> Other;
    constexpr int kOnce = 32 / STRIPS;  // a few columns at a time, to spare registers
#pragma unroll
    for (int k = 0; k < COLUMNS / 16; k++) {
      u32 left[STRIPS][1][4];
#pragma unroll
      for (int i = 0; i < STRIPS; i++) {
        const float (&low)[4] = x[i][2 * k], (&high)[4] = x[i][2 * k + 1];
        left[i][0][0] = pack<T>(low[0], low[1]);
        left[i][0][1] = pack<T>(low[2], low[3]);
        left[i][0][2] = pack<T>(high[0], high[1]);
        left[i][0][3] = pack<T>(high[2], high[3]);
      }
#pragma unroll
      for (int n = 0; n < D8 * 8; n += kOnce) {
        u32 right[kOnce / 16][4];
        const void* rows[kOnce / 16];
#pragma unroll
        for (int j = 0; j < kOnce / 16; j++)
          rows[j] = Other::right_transposed(other, k * 16, n + j * 16);
        load_matrices<true>(right, rows);
#pragma unroll
        for (int i = 0; i < STRIPS; i++)
          multiply_tiles<T>(reinterpret_cast<float (&)[1][kOnce / 8][4]>(sum[i][n / 8]), left[i],
                            reinterpret_cast<const u32(&)[kOnce / 8][2]>(right));
      }
    }
  }

  LN_DEVICE static void forward(const T* q, const T* k, const T* v, const i32* bounds, T* o,
                                float* lse, const AttentionArguments& a) {
    constexpr int kKeys = Tile::kForward, kRows = Tile::kForwardRows, kStrips = Tile::kStrips;
    typedef SharedTile<T, kRows, kHead> Queries;
    typedef SharedTile<T, kKeys, kHead> Keys;
    typedef SharedTile<T, kKeys, kValues> Values;
    LN_DYNAMIC_SHARED(char, shared);
    char *own = shared, *keys = own + Queries::kBytes, *values = keys + Keys::kBytes;
    Visible* seen = reinterpret_cast<Visible*>(values + Values::kBytes);
    const i32 d0 = Tile::kValueParts == 1 ? 0 : i32(blockIdx.z) * kValues;
    // The longest walks first.
    const i32 m0 = i32(gridDim.x - 1 - blockIdx.x) * kRows, head = i32(blockIdx.y);
    const i32 kv = head / i32(a.heads / a.kv_heads);
    const i32 last = m0 + kRows < a.M ? m0 + kRows : i32(a.M);
    const MatrixView<T> all_k = head_of(k, a.keys, a.kv_heads, kv, a.D);
    const MatrixView<T> all_v = head_of(v, a.keys, a.kv_heads, kv, a.D);
    const i32 first = Visible(m0, bounds, a).first / kKeys * kKeys;
    const i32 end = Visible(last - 1, bounds, a).end;
    const i32 m = m0 + own_row(kStrips) + lane() / 4;  // and m + 8, in each strip
    keep_visible<kRows, kThreads>(seen, m0, bounds, a);
    Queries::template fetch<kThreads>(own, head_of(q, a.M, a.heads, head, a.D), m0, 0);
    Keys::template fetch<kThreads>(keys, all_k, first, 0);
    copy_async_commit();
    float sum[kStrips][kValues / 8][4] = {};
    Running running[kStrips];
    for (i32 j0 = first; j0 < end; j0 += kKeys) {
      copy_async_wait<0>();
      __syncthreads();  // the keys are there; the values before have been read by all
      Values::template fetch<kThreads>(values, all_v, j0, d0);
      copy_async_commit();
      float s[kStrips][kKeys / 8][4];
      scores<kStrips, kKeys>(s, own, keys);
      copy_async_wait<0>();
      __syncthreads();  // the values are there; the keys have been read by all
      if (j0 + kKeys < end) Keys::template fetch<kThreads>(keys, all_k, j0 + kKeys, 0);
      copy_async_commit();
#pragma unroll
      for (int i = 0; i < kStrips; i++) {
        float fade[2];
        cap(s[i], a);
        mask(s[i], seen, kStrips, own_row(kStrips) + lane() / 4 + i * 16, j0);
        running[i].softmax(s[i], unit(a), fade);
        fade_sums(sum[i], fade);
      }
      add_product<kStrips, kKeys>(sum, s, values);
    }
    copy_async_wait<0>();
#pragma unroll
    for (int i = 0; i < kStrips; i++) {
      float inverse[2];
#pragma unroll
      for (int half = 0; half < 2; half++) {
        const float t = running[i].whole(half);
        inverse[half] = 1.0f / t;
        i32 row = m + i * 16 + half * 8;
        if (d0 == 0 && lane() % 4 == 0 && row < a.M)
          lse[head * a.M + row] = running[i].most[half] * kLn2 + logf(t);
      }
      write_rows(o, sum[i], m + i * 16, a.M, a.heads, head, a.D, d0, inverse);
    }
  }

  // p and ds of one pair, from q k^T and do v^T. p is 0 where the query does not see the key.
  LN_DEVICE static void gradient(float* s, float* dp, bool seen, float lse, float delta,
                                 const AttentionArguments& a) {
    float slope, x = capped(*s, a, &slope);
    float p = seen ? exp2_approximate((x - lse) * kLog2E) : 0.0f;
    *s = p;
    *dp = seen ? p * (*dp - delta) * slope : 0.0f;
  }

  LN_DEVICE static void backward_queries(const T* dout, const T* q, const T* k, const T* v,
                                         const float* lse, const float* delta, const i32* bounds,
                                         T* dq, const AttentionArguments& a) {
    constexpr int kKeys = Tile::kBackward, kRows = Tile::kBackwardRows;
    typedef SharedTile<T, kKeys, kHead> Other;
    LN_DYNAMIC_SHARED(char, shared);
    char *queries = shared, *douts = queries + Own::kBytes, *keys = douts + Own::kBytes,
         *values = keys + Other::kBytes;
    const i32 m0 = i32(gridDim.x - 1 - blockIdx.x) * kRows, head = i32(blockIdx.y);
    const i32 kv = head / i32(a.heads / a.kv_heads);
    const i32 last = m0 + kRows < a.M ? m0 + kRows : i32(a.M);
    const MatrixView<T> all_k = head_of(k, a.keys, a.kv_heads, kv, a.D);
    const MatrixView<T> all_v = head_of(v, a.keys, a.kv_heads, kv, a.D);
    const i32 first = Visible(m0, bounds, a).first / kKeys * kKeys;
    const i32 end = Visible(last - 1, bounds, a).end;
    const i32 m = m0 + own_row(1) + lane() / 4;
    const Visible visible[2] = {Visible(m, bounds, a), Visible(m + 8, bounds, a)};
    float row_lse[2], row_delta[2];
#pragma unroll
    for (int half = 0; half < 2; half++) {
      bool inside = m + half * 8 < a.M;
      row_lse[half] = inside ? lse[head * a.M + m + half * 8] : 0.0f;
      row_delta[half] = inside ? delta[head * a.M + m + half * 8] : 0.0f;
    }

    Own::template fetch<kThreads>(queries, head_of(q, a.M, a.heads, head, a.D), m0, 0);
    Own::template fetch<kThreads>(douts, head_of(dout, a.M, a.heads, head, a.D), m0, 0);
    float sum[1][kHead / 8][4] = {};
    for (i32 j0 = first; j0 < end; j0 += kKeys) {
      __syncthreads();  // the tiles before have been read by all
      Other::template fetch<kThreads>(keys, all_k, j0, 0);
      copy_async_commit();
      Other::template fetch<kThreads>(values, all_v, j0, 0);
      copy_async_commit();
      copy_async_wait<1>();
      __syncthreads();
      float s[1][kKeys / 8][4], dp[1][kKeys / 8][4];
      scores<1, kKeys>(s, queries, keys);
      copy_async_wait<0>();
      __syncthreads();
      scores<1, kKeys>(dp, douts, values);
#pragma unroll
      for (int j = 0; j < kKeys / 8; j++)
#pragma unroll
        for (int r = 0; r < 4; r++) {
          i32 key = j0 + j * 8 + lane() % 4 * 2 + r % 2;
          gradient(&s[0][j][r], &dp[0][j][r], visible[r / 2].sees(key), row_lse[r / 2],
                   row_delta[r / 2], a);
        }
      add_product<1, kKeys>(sum, dp, keys);
    }
    copy_async_wait<0>();
    const float one[2] = {1.0f, 1.0f};
    write_rows(dq, sum[0], m, a.M, a.heads, head, a.D, 0, one);
  }

  // What a walk over queries needs of each. It passes through shared memory as one chunk: four
  // numbers by themselves, 16 bytes apart, would meet in the same banks.
  struct Row {
    float lse, delta;
    i32 first, end;

    LN_DEVICE Chunk chunk() const {
      return {{__float_as_uint(lse), __float_as_uint(delta), u32(first), u32(end)}};
    }
    LN_DEVICE static Row of(const Chunk& c) {
      return {__uint_as_float(c.words[0]), __uint_as_float(c.words[1]), i32(c.words[2]),
              i32(c.words[3])};
    }
  };

  LN_DEVICE static void backward_keys(const T* dout, const T* q, const T* k, const T* v,
                                      const float* lse, const float* delta, const i32* bounds,
                                      T* dk, T* dv, const AttentionArguments& a) {
    if (Tile::kKeyWalks == 1) {
      walk_queries<true, true>(dout, q, k, v, lse, delta, bounds, dk, dv, a);
    } else if (blockIdx.z == 0) {
      walk_queries<false, true>(dout, q, k, v, lse, delta, bounds, dk, dv, a);
    } else {
      walk_queries<true, false>(dout, q, k, v, lse, delta, bounds, dk, dv, a);
    }
  }

  template <bool WANT_K, bool WANT_V>
  LN_DEVICE static void walk_queries(const T* dout, const T* q, const T* k, const T* v,
                                     const float* lse, const float* delta, const i32* bounds, T* dk,
                                     T* dv, const AttentionArguments& a) {
    constexpr int kQueries = Tile::kBackward, kRows = Tile::kBackwardRows;
    typedef SharedTile<T, kQueries, kHead> Other;
    LN_DYNAMIC_SHARED(char, shared);
    char *keys = shared, *values = keys + Own::kBytes, *queries = values + Own::kBytes,
         *douts = queries + Other::kBytes;
    Chunk* rows = reinterpret_cast<Chunk*>(douts + Other::kBytes);
    const i32 j0 = i32(blockIdx.x) * kRows, kv = i32(blockIdx.y);
    const i32 group = i32(a.heads / a.kv_heads);
    const i32 last = (j0 + kRows < a.keys ? j0 + kRows : i32(a.keys)) - 1;
    const i32 key = j0 + own_row(1) + lane() / 4;  // and key + 8

    Own::template fetch<kThreads>(keys, head_of(k, a.keys, a.kv_heads, kv, a.D), j0, 0);
    Own::template fetch<kThreads>(values, head_of(v, a.keys, a.kv_heads, kv, a.D), j0, 0);
    float sum_k[1][kHead / 8][4] = {}, sum_v[1][kHead / 8][4] = {};
    // The tile is seen until a query's first key lies past it.
    const i32 first = first_query(j0, a) / kQueries * kQueries;
    for (i32 head = kv * group; head < (kv + 1) * group; head++) {
      const MatrixView<T> all_q = head_of(q, a.M, a.heads, head, a.D);
      const MatrixView<T> all_dout = head_of(dout, a.M, a.heads, head, a.D);
      for (i32 m0 = first; m0 < a.M && Visible(m0, bounds, a).first <= last; m0 += kQueries) {
        __syncthreads();  // the tiles before have been read by all
        Other::template fetch<kThreads>(queries, all_q, m0, 0);
        copy_async_commit();
        Other::template fetch<kThreads>(douts, all_dout, m0, 0);
        copy_async_commit();
        if (int(threadIdx.x) < kQueries) {
          i32 m = m0 + i32(threadIdx.x);
          Visible visible(m, bounds, a);
          bool inside = m < a.M;
          const Row row{inside ? lse[head * a.M + m] : 0.0f, inside ? delta[head * a.M + m] : 0.0f,
                        visible.first, visible.end};
          store_shared(rows + threadIdx.x, row.chunk());
        }
        copy_async_wait<1>();
        __syncthreads();
        float s[1][kQueries / 8][4], dp[1][kQueries / 8][4] = {};
        scores<1, kQueries>(s, keys, queries);
        copy_async_wait<0>();
        __syncthreads();
        if (WANT_K) scores<1, kQueries>(dp, values, douts);
#pragma unroll
        for (int j = 0; j < kQueries / 8; j++)
#pragma unroll
          for (int r = 0; r < 4; r++) {
            const Row row = Row::of(rows[j * 8 + lane() % 4 * 2 + r % 2]);
            i32 here = key + r / 2 * 8;
            gradient(&s[0][j][r], &dp[0][j][r], row.first <= here && here < row.end, row.lse,
                     row.delta, a);
          }
        if (WANT_V) add_product<1, kQueries>(sum_v, s, douts);
        if (WANT_K) add_product<1, kQueries>(sum_k, dp, queries);
      }
    }
    copy_async_wait<0>();
    const float one[2] = {1.0f, 1.0f};
    if (WANT_K) write_rows(dk, sum_k[0], key, a.keys, a.kv_heads, kv, a.D, 0, one);
    if (WANT_V) write_rows(dv, sum_v[0], key, a.keys, a.kv_heads, kv, a.D, 0, one);
  }
};

// One warp for a query and head.
template <typename T>
LN_DEVICE void attention_delta(const T* dout, const T* o, float* delta,
                               const AttentionArguments& a) {
  i64 row = warp_row();
  if (row >= a.M * a.heads) return;
  float sum = 0;
  for (i64 d = threadIdx.x % 32; d < a.D; d += 32)
    sum += load(dout[row * a.D + d]) * load(o[row * a.D + d]);
  sum = warp_sum(sum);
  if (threadIdx.x % 32 == 0) delta[row % a.heads * a.M + row / a.heads] = sum;
}

LN_INSTANCES_16_BIT((128), attention_delta,
                    (const T* dout, const T* o, float* delta, AttentionArguments a),
                    attention_delta(dout, o, delta, a))

#define LN_TILED_ATTENTION_FORWARD_INSTANCES(head)                                              \
  LN_INSTANCES_16_BIT((128, 1), tiled_attention_fwd_##head,                                     \
                      (const T* q, const T* k, const T* v, const i32* bounds, T* o, float* lse, \
                       AttentionArguments a),                                                   \
                      TiledAttention<AttentionTile##head, T>::forward(q, k, v, bounds, o, lse, a))
#define LN_TILED_ATTENTION_INSTANCES(head)                                                         \
  LN_TILED_ATTENTION_FORWARD_INSTANCES(head)                                                       \
  LN_INSTANCES_16_BIT((128, 1), tiled_attention_dq_##head,                                         \
                      (const T* dout, const T* q, const T* k, const T* v, const float* lse,        \
                       const float* delta, const i32* bounds, T* dq, AttentionArguments a),        \
                      TiledAttention<AttentionTile##head, T>::backward_queries(                    \
                          dout, q, k, v, lse, delta, bounds, dq, a))                               \
  LN_INSTANCES_16_BIT((128, 1), tiled_attention_dkv_##head,                                        \
                      (const T* dout, const T* q, const T* k, const T* v, const float* lse,        \
                       const float* delta, const i32* bounds, T* dk, T* dv, AttentionArguments a), \
                      TiledAttention<AttentionTile##head, T>::backward_keys(                       \
                          dout, q, k, v, lse, delta, bounds, dk, dv, a))
LN_TILED_ATTENTION_INSTANCES(64)
LN_TILED_ATTENTION_INSTANCES(96)
LN_TILED_ATTENTION_INSTANCES(128)
LN_TILED_ATTENTION_INSTANCES(160)
LN_TILED_ATTENTION_INSTANCES(256)
LN_TILED_ATTENTION_FORWARD_INSTANCES(512)

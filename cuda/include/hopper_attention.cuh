// Attention with warpgroups' products: see hopper_attention.cu.
#pragma once
#include "bulk_copy.cuh"
#include "hopper_attention.h"
#include "score_tiles.cuh"

#ifdef LN_WARPGROUPS

template <typename Tile, typename T>
struct WarpgroupAttention {
  static constexpr int kHead = Tile::kHead, kPanels = Tile::kPanels;

  // A tile in shared memory: rows of 64 channels by panels, as the maps' boxes lie.
  template <int ROWS>
  struct Panels {
    static constexpr int kPanelBytes = ROWS * 128, kBytes = Tile::bytes(ROWS);

    LN_DEVICE static void fetch(char* to, const TensorMap& map, i32 row, i32 head,
                                CopyBarrier* barrier) {
      for (int p = 0; p < kPanels; p++)
        copy_box(to + p * kPanelBytes, map, row, head, p * 64, barrier);
    }
  };

  // Tiles of the side that is walked over, in STAGES places that are filled in turn.
  template <int ROWS, int STAGES>
  struct Walk {
    char* tiles;
    CopyBarrier* landed;

    LN_DEVICE char* tile(int step) const { return tiles + step % STAGES * Panels<ROWS>::kBytes; }
    LN_DEVICE void begin() const {
      for (int i = 0; i < STAGES; i++) barrier_begin(landed + i);
    }
    // By one thread. `more` bytes come with this step's tile.
    LN_DEVICE void fetch(int step, const TensorMap& map, i32 row, i32 head, u32 more = 0) const {
      CopyBarrier* barrier = landed + step % STAGES;
      barrier_expect(barrier, Panels<ROWS>::kBytes + more);
      Panels<ROWS>::fetch(tile(step), map, row, head, barrier);
    }
    LN_DEVICE void wait(int step) const { barrier_wait(landed + step % STAGES, step / STAGES % 2); }
  };

  // Begins s [64, COLUMNS] = this warpgroup's rows of `own` times rows of `other`, over the
  // channels.
  template <int ROWS, int COLUMNS>
  LN_DEVICE static void begin_scores(float (&s)[COLUMNS / 8][4], const char* own,
                                     const char* other) {
    const char* rows = own + threadIdx.x / 128 * (64 * 128);
    warpgroup_multiply<T, false, false>(s, matrix_descriptor(rows, 0), matrix_descriptor(other, 0));
#pragma unroll
    for (int k = 1; k < kHead / 16; k++)
      warpgroup_multiply<T, false>(
          s, matrix_descriptor(rows + k / 4 * Panels<ROWS>::kPanelBytes + k % 4 * 32, 0),
          matrix_descriptor(other + k / 4 * Panels<COLUMNS>::kPanelBytes + k % 4 * 32, 0));
  }

  // Begins sum [64, D] += x [64, COLUMNS] rows of `other`.
  template <int COLUMNS>
  LN_DEVICE static void begin_product(float (&sum)[kHead / 8][4], const u32 (&x)[COLUMNS / 16][4],
                                      const char* other) {
#pragma unroll
    for (int k = 0; k < COLUMNS / 16; k++)
      warpgroup_multiply<T, true>(
          sum, x[k], matrix_descriptor(other + k * (16 * 128), Panels<COLUMNS>::kPanelBytes));
  }

  // What a product gave, rounded, as the left operand of the next.
  template <int TILES>
  LN_DEVICE static void round(u32 (&x)[TILES / 2][4], const float (&s)[TILES][4]) {
#pragma unroll
    for (int k = 0; k < TILES / 2; k++)
#pragma unroll
      for (int i = 0; i < 4; i++)
        x[k][i] = pack<T>(s[2 * k + i / 2][i % 2 * 2], s[2 * k + i / 2][i % 2 * 2 + 1]);
  }

  LN_DEVICE static void forward(const MappedAttentionArguments& m, const i32* bounds, T* o,
                                float* lse) {
    constexpr int kKeys = Tile::kForward, kRows = Tile::kRows;
    typedef Panels<kRows> Queries;
    typedef Walk<kKeys, Tile::kStages> Other;
    const AttentionArguments& a = m.a;
    LN_DYNAMIC_SHARED(char, unaligned);
    char* queries = aligned_tiles(unaligned);
    char* tiles = queries + Queries::kBytes;
    Visible* seen = reinterpret_cast<Visible*>(tiles + 2 * Tile::kStages * Panels<kKeys>::kBytes);
    CopyBarrier* landed = reinterpret_cast<CopyBarrier*>(seen + kRows);
    const Other keys{tiles, landed};
    const Other values{tiles + Tile::kStages * Panels<kKeys>::kBytes, landed + Tile::kStages};
    // The longest walks first.
    const i32 m0 = i32(gridDim.x - 1 - blockIdx.x) * kRows, head = i32(blockIdx.y);
    const i32 kv = head / i32(a.heads / a.kv_heads);
    const i32 last = (m0 + kRows < a.M ? m0 + kRows : i32(a.M)) - 1;
    const i32 first = Visible(m0, bounds, a).first / kKeys * kKeys;
    const i32 count = (Visible(last, bounds, a).end - first + kKeys - 1) / kKeys;
    auto fetch_keys = [&](int step, u32 more) {
      if (threadIdx.x == 0 && step < count) keys.fetch(step, m.k, first + step * kKeys, kv, more);
    };
    auto fetch_values = [&](int step) {
      if (threadIdx.x == 0 && step < count) values.fetch(step, m.v, first + step * kKeys, kv);
    };

    if (threadIdx.x == 0) {
      keys.begin();
      values.begin();
    }
    __syncthreads();
    fetch_keys(0, Queries::kBytes);
    if (threadIdx.x == 0 && count > 0) Queries::fetch(queries, m.q, m0, head, landed);
    fetch_values(0);
    fetch_keys(1, 0);
    keep_visible<kRows, Tile::kThreads>(seen, m0, bounds, a);
    __syncthreads();

    const int row = own_row(1) + lane() / 4;  // and row + 8
    float s[kKeys / 8][4], sum[kHead / 8][4] = {}, fade[2];
    u32 p[kKeys / 16][4];
    Running running;
    if (count > 0) {
      keys.wait(0);
      warpgroup_fence();
      begin_scores<kRows, kKeys>(s, queries, keys.tile(0));
      warpgroup_commit();
      warpgroup_wait<0>();
      warpgroup_hold(s);
      cap(s, a);
      mask(s, seen, 1, row, first);
      running.softmax(s, unit(a), fade);
      round(p, s);
    }
    for (int step = 1; step < count; step++) {
      __syncthreads();  // all have multiplied the keys before, and the values before those
      fetch_keys(step + 1, 0);
      fetch_values(step);
      keys.wait(step);
      warpgroup_hold(sum);
      warpgroup_fence();
      begin_scores<kRows, kKeys>(s, queries, keys.tile(step));
      warpgroup_commit();
      values.wait(step - 1);
      warpgroup_fence();
      begin_product<kKeys>(sum, p, values.tile(step - 1));
      warpgroup_commit();
      warpgroup_wait<1>();
      warpgroup_hold(s);
      cap(s, a);
      mask(s, seen, 1, row, first + step * kKeys);
      running.softmax(s, unit(a), fade);
      warpgroup_wait<0>();
      warpgroup_hold(sum);
      fade_sums(sum, fade);
      round(p, s);
    }
    if (count > 0) {
      values.wait(count - 1);
      warpgroup_hold(sum);
      warpgroup_fence();
      begin_product<kKeys>(sum, p, values.tile(count - 1));
      warpgroup_commit();
      warpgroup_wait<0>();
      warpgroup_hold(sum);
    }
    float inverse[2];
#pragma unroll
    for (int half = 0; half < 2; half++) {
      const float t = running.whole(half);
      inverse[half] = 1.0f / t;
      const i32 query = m0 + row + half * 8;
      if (lane() % 4 == 0 && query < a.M)
        lse[head * a.M + query] = running.most[half] * kLn2 + logf(t);
    }
    write_rows(o, sum, m0 + row, a.M, a.heads, head, a.D, 0, inverse);
  }

  // What backward needs of a query: its lse in base 2, and delta scale.
  struct Query {
    float lse, delta;
  };
  LN_DEVICE static Query query_of(i32 m, i32 head, const float* lse, const float* delta,
                                  const AttentionArguments& a) {
    if (m >= a.M) return {0.0f, 0.0f};
    const float x = lse[head * a.M + m];
    // A query that sees nothing has no p, and must not make one of infinities.
    return {x == negative_infinity() ? 0.0f : x * kLog2E, delta[head * a.M + m] * a.scale};
  }

  // do v^T becomes what p is multiplied with for ds, where q k^T becomes scores. In 16 bits 1 - t^2
  // loses nothing up to scores of 6 caps.
  template <int TILES>
  LN_DEVICE static void slopes(float (&s)[TILES][4], float (&dp)[TILES][4], const Query (&query)[2],
                               const AttentionArguments& a) {
#pragma unroll
    for (int j = 0; j < TILES; j++)
#pragma unroll
      for (int r = 0; r < 4; r++) dp[j][r] = fmaf(dp[j][r], a.scale, -query[r / 2].delta);
    if (a.softcap <= 0) return;
    cap(s, a);
    const float inverse = 1.0f / a.softcap;
#pragma unroll
    for (int j = 0; j < TILES; j++)
#pragma unroll
      for (int r = 0; r < 4; r++) {
        const float t = s[j][r] * inverse;
        dp[j][r] *= 1.0f - t * t;
      }
  }

  LN_DEVICE static void backward_queries(const MappedAttentionArguments& m, const float* lse,
                                         const float* delta, const i32* bounds, T* dq) {
    constexpr int kKeys = Tile::kBackward, kRows = Tile::kRows;
    typedef Panels<kRows> Own;
    const AttentionArguments& a = m.a;
    LN_DYNAMIC_SHARED(char, unaligned);
    char* queries = aligned_tiles(unaligned);
    char *douts = queries + Own::kBytes, *tiles = douts + Own::kBytes;
    char* more_tiles = tiles + Tile::kKeyStages * Panels<kKeys>::kBytes;
    Visible* seen = reinterpret_cast<Visible*>(more_tiles + Tile::kStages * Panels<kKeys>::kBytes);
    CopyBarrier* landed = reinterpret_cast<CopyBarrier*>(seen + kRows);
    const Walk<kKeys, Tile::kKeyStages> keys{tiles, landed};
    const Walk<kKeys, Tile::kStages> values{more_tiles, landed + Tile::kKeyStages};
    const i32 m0 = i32(gridDim.x - 1 - blockIdx.x) * kRows, head = i32(blockIdx.y);
    const i32 kv = head / i32(a.heads / a.kv_heads);
    const i32 last = (m0 + kRows < a.M ? m0 + kRows : i32(a.M)) - 1;
    const i32 first = Visible(m0, bounds, a).first / kKeys * kKeys;
    const i32 count = (Visible(last, bounds, a).end - first + kKeys - 1) / kKeys;
    auto fetch = [&](int step, u32 more) {
      if (threadIdx.x != 0 || step >= count) return;
      keys.fetch(step, m.k, first + step * kKeys, kv, more);
      values.fetch(step, m.v, first + step * kKeys, kv);
    };

    if (threadIdx.x == 0) {
      keys.begin();
      values.begin();
    }
    __syncthreads();
    fetch(0, 2 * Own::kBytes);
    if (threadIdx.x == 0 && count > 0) {
      Own::fetch(queries, m.q, m0, head, landed);
      Own::fetch(douts, m.dout, m0, head, landed);
    }
    fetch(1, 0);
    keep_visible<kRows, Tile::kThreads>(seen, m0, bounds, a);
    const int row = own_row(1) + lane() / 4;  // and row + 8
    const Query query[2] = {query_of(m0 + row, head, lse, delta, a),
                            query_of(m0 + row + 8, head, lse, delta, a)};
    __syncthreads();

    float s[kKeys / 8][4], dp[kKeys / 8][4], sum[kHead / 8][4] = {};
    u32 ds[kKeys / 16][4];
    auto begin_pair = [&](int step) {
      keys.wait(step);
      values.wait(step);
      warpgroup_hold(sum);
      warpgroup_fence();
      begin_scores<kRows, kKeys>(s, queries, keys.tile(step));
      begin_scores<kRows, kKeys>(dp, douts, values.tile(step));
      warpgroup_commit();
    };
    auto gradients = [&](int step) {
      warpgroup_hold(s);
      warpgroup_hold(dp);
      slopes(s, dp, query, a);
      mask(s, seen, 1, row, first + step * kKeys);
      const float by = unit(a);
#pragma unroll
      for (int j = 0; j < kKeys / 8; j++)
#pragma unroll
        for (int r = 0; r < 4; r++)
          dp[j][r] *= exp2_approximate(fmaf(s[j][r], by, -query[r / 2].lse));
    };
    if (count > 0) {
      begin_pair(0);
      warpgroup_wait<0>();
      gradients(0);
      round(ds, dp);
    }
    for (int step = 1; step < count; step++) {
      __syncthreads();  // all have multiplied the values before, and the keys before those
      fetch(step + 1, 0);
      begin_pair(step);
      warpgroup_fence();
      begin_product<kKeys>(sum, ds, keys.tile(step - 1));
      warpgroup_commit();
      warpgroup_wait<1>();
      gradients(step);
      warpgroup_wait<0>();
      round(ds, dp);
    }
    if (count > 0) {
      warpgroup_hold(sum);
      warpgroup_fence();
      begin_product<kKeys>(sum, ds, keys.tile(count - 1));
      warpgroup_commit();
      warpgroup_wait<0>();
      warpgroup_hold(sum);
    }
    const float one[2] = {1.0f, 1.0f};
    write_rows(dq, sum, m0 + row, a.M, a.heads, head, a.D, 0, one);
  }

  // A query as the walk over them passes it on: 16 bytes.
  struct Row {
    Query query;
    Visible visible;

    LN_DEVICE Chunk chunk() const {
      return {{__float_as_uint(query.lse), __float_as_uint(query.delta), u32(visible.first),
               u32(visible.end)}};
    }
  };

  // The same for the other side: queries are columns, of rows `row` and `row` + 1 of each tile
  // of 8. Scores that the warp's keys `key` and `key` + 8 are not seen by become -infinity.
  template <int TILES>
  LN_DEVICE static void mask_queries(float (&s)[TILES][4], const Chunk* row, i32 key) {
#pragma unroll
    for (int j = 0; j < TILES; j++)
#pragma unroll
      for (int i = 0; i < 2; i++) {
        const Chunk query = load_chunk(row + j * 8 + i);
#pragma unroll
        for (int half = 0; half < 2; half++) {
          const i32 here = key + half * 8;
          if (here < i32(query.words[2]) || here >= i32(query.words[3]))
            s[j][half * 2 + i] = negative_infinity();
        }
      }
  }

  // Scores become p times cap', and p rounded.
  template <bool CAPPED, int TILES>
  LN_DEVICE static void weigh(float (&s)[TILES][4], u32 (&p)[TILES / 2][4], const Chunk* row,
                              const AttentionArguments& a) {
    const float by = CAPPED ? kLog2E : kLog2E * a.scale, inverse = CAPPED ? 1.0f / a.softcap : 0.0f;
#pragma unroll
    for (int j = 0; j < TILES; j++) {
      const float lse[2] = {__uint_as_float(row[j * 8].words[0]),
                            __uint_as_float(row[j * 8 + 1].words[0])};
#pragma unroll
      for (int half = 0; half < 2; half++) {
        float both[2];
#pragma unroll
        for (int i = 0; i < 2; i++) {
          float& x = s[j][half * 2 + i];
          both[i] = exp2_approximate(fmaf(x, by, -lse[i]));
          const float t = x * inverse;
          x = both[i] > 0.0f && CAPPED ? both[i] * (1.0f - t * t) : both[i];
        }
        p[j / 2][j % 2 * 2 + half] = pack<T>(both[0], both[1]);
      }
    }
  }

  LN_DEVICE static void backward_keys(const MappedAttentionArguments& m, const float* lse,
                                      const float* delta, const i32* bounds, T* dk, T* dv) {
    if (Tile::kKeyWalks == 1)
      walk_queries<true, true>(m, lse, delta, bounds, dk, dv);
    else if (blockIdx.z == 0)
      walk_queries<false, true>(m, lse, delta, bounds, dk, dv);
    else
      walk_queries<true, false>(m, lse, delta, bounds, dk, dv);
  }

  template <bool WANT_K, bool WANT_V>
  LN_DEVICE static void walk_queries(const MappedAttentionArguments& m, const float* lse,
                                     const float* delta, const i32* bounds, T* dk, T* dv) {
    constexpr int kQueries = Tile::kBackward, kRows = Tile::kRows;
    typedef Panels<kRows> Own;
    typedef Walk<kQueries, Tile::kStages> Other;
    const AttentionArguments& a = m.a;
    LN_DYNAMIC_SHARED(char, unaligned);
    char* keys = aligned_tiles(unaligned);
    char *values = keys + Own::kBytes, *tiles = values + Own::kBytes;
    Chunk* rows = reinterpret_cast<Chunk*>(tiles + 2 * Tile::kStages * Panels<kQueries>::kBytes);
    CopyBarrier* landed = reinterpret_cast<CopyBarrier*>(rows + Tile::kStages * kQueries);
    const Other queries{tiles, landed};
    const Other douts{tiles + Tile::kStages * Panels<kQueries>::kBytes, landed + Tile::kStages};
    const i32 j0 = i32(blockIdx.x) * kRows, kv = i32(blockIdx.y);
    const i32 group = i32(a.heads / a.kv_heads);
    const i32 last = (j0 + kRows < a.keys ? j0 + kRows : i32(a.keys)) - 1;
    // The keys are seen until a query's first key lies past them.
    const i32 first = first_query(j0, a) / kQueries * kQueries;
    // Tiles of queries up to there: what a query sees first grows with it.
    i32 per_head = 0;
    for (i32 most = first < a.M ? (i32(a.M) - first + kQueries - 1) / kQueries : 0;
         per_head < most;) {
      const i32 middle = (per_head + most) / 2;
      if (Visible(first + middle * kQueries, bounds, a).first <= last)
        per_head = middle + 1;
      else
        most = middle;
    }
    const i32 count = per_head * group;
    auto fetch = [&](int step, u32 more) {
      if (threadIdx.x != 0 || step >= count) return;
      const i32 head = kv * group + step / per_head, m0 = first + step % per_head * kQueries;
      queries.fetch(step, m.q, m0, head, more);
      douts.fetch(step, m.dout, m0, head);
    };
    auto keep_rows = [&](int step) {
      if (int(threadIdx.x) >= kQueries || step >= count) return;
      const i32 head = kv * group + step / per_head;
      const i32 query = first + step % per_head * kQueries + i32(threadIdx.x);
      const Row row{query_of(query, head, lse, delta, a), Visible(query, bounds, a)};
      store_shared(rows + step % Tile::kStages * kQueries + threadIdx.x, row.chunk());
    };

    if (threadIdx.x == 0) {
      queries.begin();
      douts.begin();
    }
    __syncthreads();
    fetch(0, 2 * Own::kBytes);
    if (threadIdx.x == 0 && count > 0) {
      Own::fetch(keys, m.k, j0, kv, landed);
      Own::fetch(values, m.v, j0, kv, landed);
    }
    keep_rows(0);
    __syncthreads();

    const i32 key = j0 + own_row(1) + lane() / 4;  // and key + 8
    const i32 warp_key = j0 + own_row(1);
    float s[kQueries / 8][4], dp[kQueries / 8][4];
    float sum_k[kHead / 8][4] = {}, sum_v[kHead / 8][4] = {};
    u32 p[kQueries / 16][4], ds[kQueries / 16][4];
    warpgroup_hold(sum_k);
    warpgroup_hold(sum_v);
    for (int step = 0; step < count; step++) {
      queries.wait(step);
      douts.wait(step);
      warpgroup_fence();
      begin_scores<kRows, kQueries>(s, keys, queries.tile(step));
      warpgroup_commit();
      if (WANT_K) {
        begin_scores<kRows, kQueries>(dp, values, douts.tile(step));
        warpgroup_commit();
      }
      warpgroup_wait<WANT_K>();
      warpgroup_hold(s);
      __syncthreads();  // all have multiplied the tiles before, and read their rows
      fetch(step + 1, 0);
      keep_rows(step + 1);
      const Chunk* tile_rows = rows + step % Tile::kStages * kQueries;
      const Chunk* lane_rows = tile_rows + lane() % 4 * 2;
      const bool all = i32(tile_rows[kQueries - 1].words[2]) <= warp_key &&
                       warp_key + 16 <= i32(tile_rows[0].words[3]);
      cap(s, a);
      if (!all) mask_queries(s, lane_rows, key);
      if (a.softcap > 0)
        weigh<true>(s, p, lane_rows, a);
      else
        weigh<false>(s, p, lane_rows, a);
      if (WANT_V) {
        warpgroup_fence();
        begin_product<kQueries>(sum_v, p, douts.tile(step));
        warpgroup_commit();
      }
      if (WANT_K) {
        warpgroup_wait<WANT_V>();
        warpgroup_hold(dp);
#pragma unroll
        for (int j = 0; j < kQueries / 8; j++)
#pragma unroll
          for (int r = 0; r < 4; r++) {
            const float subtracted = __uint_as_float(lane_rows[j * 8 + r % 2].words[1]);
            dp[j][r] = s[j][r] * fmaf(dp[j][r], a.scale, -subtracted);
          }
        round(ds, dp);
        warpgroup_fence();
        begin_product<kQueries>(sum_k, ds, queries.tile(step));
        warpgroup_commit();
      }
    }
    warpgroup_wait<0>();
    warpgroup_hold(sum_k);
    warpgroup_hold(sum_v);
    const float one[2] = {1.0f, 1.0f};
    if (WANT_K) write_rows(dk, sum_k, key, a.keys, a.kv_heads, kv, a.D, 0, one);
    if (WANT_V) write_rows(dv, sum_v, key, a.keys, a.kv_heads, kv, a.D, 0, one);
  }
};
#endif

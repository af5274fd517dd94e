// Launchers of attention: the tensor cores where they apply, else the plain kernels.
#include "attention.h"

#include "cuda/launch.h"
#include "cuda/tensor_maps.h"
#include "hopper_attention.h"
#include "tiled_attention.h"

namespace ln {
namespace cuda {

static constexpr unsigned kThreads = 128;
static constexpr int64_t kRowsPerBlock = 4, kMostHeadDim = 512, kMostTiledBackward = 256;

// What scratch says where heads are too wide, so that a plan fails and not a run.
static int64_t refused(int64_t D) {
  fail(LN_UNSUPPORTED, "heads of %lld channels; on a card at most %lld", (long long)D,
       (long long)kMostHeadDim);
  return -1;
}

// Calls run(head) for the smallest plain kernel or tile that holds heads of D channels.
#define LN_FOR_PLAIN_HEAD(D, run) ((D) <= 256 ? run(256) : run(512))
#define LN_FOR_HEAD(D, run) \
  ((D) <= 64    ? run(64)   \
   : (D) <= 96  ? run(96)   \
   : (D) <= 128 ? run(128)  \
   : (D) <= 160 ? run(160)  \
                : run(256))

// 16-byte copies ask for whole chunks of channels; f32 has the plain kernels alone.
static bool fits_tiles(int64_t D, int32_t dtype, int64_t q, int64_t k, int64_t v) {
  return dtype != LN_F32 && D % 8 == 0 && (q | k | v) % 16 == 0;
}

// Whether Hopper's own kernels have a tile for heads of D channels that is not too wide for them.
static bool fits_warpgroups(const Device* device, int64_t D) {
  return has_warpgroups(device) && (D <= 128 || (D > 160 && D <= 256));
}
#define LN_FOR_HOPPER_HEAD(D, run) \
  ((D) <= 64 ? run(64) : (D) <= 96 ? run(96) : (D) <= 128 ? run(128) : run(256))

// The operands of a kernel of Hopper's, whose boxes have as many rows of queries and of keys; dout
// is 0 where it is not read.
static int map_operands(Device* device, MappedAttentionArguments* m, int64_t q, int64_t k,
                        int64_t v, int64_t dout, int query_rows, int key_rows) {
  const AttentionArguments& a = m->a;
  LN_TRY(map_heads(device, &m->q, q, a.M, a.heads, a.D, query_rows));
  LN_TRY(map_heads(device, &m->k, k, a.keys, a.kv_heads, a.D, key_rows));
  LN_TRY(map_heads(device, &m->v, v, a.keys, a.kv_heads, a.D, key_rows));
  return dout ? map_heads(device, &m->dout, dout, a.M, a.heads, a.D, query_rows) : LN_OK;
}

template <typename Tile, typename Run>
static int hopper_forward(Device* device, const AttentionArguments& a, int64_t q, int64_t k,
                          int64_t v, Run launch) {
  MappedAttentionArguments m{a, {}, {}, {}, {}};
  LN_TRY(map_operands(device, &m, q, k, v, 0, Tile::kRows, Tile::kForward));
  return launch(m, Grid{cover(a.M, Tile::kRows).x, a.heads}, Tile::kThreads, Tile::kForwardBytes);
}

// Both kernels of backward: launch_queries for dq, launch_keys for dk and dv.
template <typename Tile, typename Queries, typename Keys>
static int hopper_backward(Device* device, const AttentionArguments& a, int64_t q, int64_t k,
                           int64_t v, int64_t dout, Queries launch_queries, Keys launch_keys) {
  MappedAttentionArguments m{a, {}, {}, {}, {}};
  LN_TRY(map_operands(device, &m, q, k, v, dout, Tile::kRows, Tile::kBackward));
  LN_TRY(launch_queries(m, Grid{cover(a.M, Tile::kRows).x, a.heads}, Tile::kThreads,
                        Tile::kQueryBytes));
  LN_TRY(map_operands(device, &m, q, k, v, dout, Tile::kBackward, Tile::kRows));
  return launch_keys(m, Grid{cover(a.keys, Tile::kRows).x, a.kv_heads, Tile::kKeyWalks},
                     Tile::kThreads, Tile::kKeyBytes);
}

int64_t ln_attention_scratch(int64_t, int64_t M, int64_t heads, int64_t D, int64_t, int64_t,
                             int64_t, int32_t backward, int32_t) {
  if (D > kMostHeadDim) return refused(D);
  return backward ? M * heads * 4 : 0;  // delta
}

int ln_attention_fwd(int64_t device, int64_t q, int64_t k, int64_t v, int64_t bounds, int64_t o,
                     int64_t lse, int64_t, int64_t M, int64_t heads, int64_t kv_heads, int64_t D,
                     float scale, float softcap, int64_t window, int64_t q_group, int64_t k_group,
                     int32_t dtype) {
  int64_t keys = k_group ? M / q_group * k_group : M;
  AttentionArguments a{M, keys, heads, kv_heads, D, window, q_group, k_group, scale, softcap};
  const Grid by_query = cover(M * heads, kRowsPerBlock);
#define LN_PLAIN_FORWARD(head)                                                                     \
  LN_LAUNCH_TYPED(of(device), dtype, attention_fwd_##head, by_query, kThreads, 0, q, k, v, bounds, \
                  int64_t(0), o, lse, a)
#define LN_FORWARD(head)                                                       \
  LN_LAUNCH_16_BIT(of(device), dtype, tiled_attention_fwd_##head,              \
                   (Grid{cover(M, AttentionTile##head::kForwardRows).x, heads, \
                         AttentionTile##head::kValueParts}),                   \
                   kThreads, AttentionTile##head::kForwardBytes, q, k, v, bounds, o, lse, a)
#define LN_HOPPER_FORWARD(head)                                                                \
  hopper_forward<WarpgroupAttentionTile##head>(                                                \
      of(device), a, q, k, v,                                                                  \
      [&](const MappedAttentionArguments& m, Grid grid, unsigned threads, unsigned shared) {   \
        return LN_LAUNCH_16_BIT(of(device), dtype, hopper_attention_fwd_##head, grid, threads, \
                                shared, m, bounds, o, lse);                                    \
      })
  if (!fits_tiles(D, dtype, q, k, v)) return LN_FOR_PLAIN_HEAD(D, LN_PLAIN_FORWARD);
  if (fits_warpgroups(of(device), D)) return LN_FOR_HOPPER_HEAD(D, LN_HOPPER_FORWARD);
  return D > 256 ? LN_FORWARD(512) : LN_FOR_HEAD(D, LN_FORWARD);
}

int ln_attention_bwd(int64_t device, int64_t dout, int64_t q, int64_t k, int64_t v, int64_t o,
                     int64_t lse, int64_t bounds, int64_t dq, int64_t dk, int64_t dv,
                     int64_t scratch, int64_t M, int64_t heads, int64_t kv_heads, int64_t D,
                     float scale, float softcap, int64_t window, int64_t q_group, int64_t k_group,
                     int32_t dtype) {
  int64_t keys = k_group ? M / q_group * k_group : M;
  AttentionArguments a{M, keys, heads, kv_heads, D, window, q_group, k_group, scale, softcap};
  const Grid by_query = cover(M * heads, kRowsPerBlock);
  const Grid by_key = cover(keys * kv_heads, kRowsPerBlock);
#define LN_PLAIN_QUERIES(head)                                                                     \
  LN_LAUNCH_TYPED(of(device), dtype, attention_dq_##head, by_query, kThreads, 0, dout, q, k, v, o, \
                  lse, bounds, dq, a)
#define LN_PLAIN_KEYS(head)                                                                       \
  LN_LAUNCH_TYPED(of(device), dtype, attention_dkv_##head, by_key, kThreads, 0, dout, q, k, v, o, \
                  lse, bounds, dk, dv, a)
  // Nothing trains through wider heads: a Stable Diffusion VAE is frozen.
  if (D > kMostTiledBackward || !fits_tiles(D, dtype, q, k, v) || dout % 16 != 0) {
    LN_TRY(LN_FOR_PLAIN_HEAD(D, LN_PLAIN_QUERIES));
    return LN_FOR_PLAIN_HEAD(D, LN_PLAIN_KEYS);
  }
  LN_TRY(LN_LAUNCH_16_BIT(of(device), dtype, attention_delta, by_query, kThreads, 0, dout, o,
                          scratch, a));
#define LN_HOPPER_BACKWARD(head)                                                               \
  hopper_backward<WarpgroupAttentionTile##head>(                                               \
      of(device), a, q, k, v, dout,                                                            \
      [&](const MappedAttentionArguments& m, Grid grid, unsigned threads, unsigned shared) {   \
        return LN_LAUNCH_16_BIT(of(device), dtype, hopper_attention_dq_##head, grid, threads,  \
                                shared, m, lse, scratch, bounds, dq);                          \
      },                                                                                       \
      [&](const MappedAttentionArguments& m, Grid grid, unsigned threads, unsigned shared) {   \
        return LN_LAUNCH_16_BIT(of(device), dtype, hopper_attention_dkv_##head, grid, threads, \
                                shared, m, lse, scratch, bounds, dk, dv);                      \
      })
  if (fits_warpgroups(of(device), D)) return LN_FOR_HOPPER_HEAD(D, LN_HOPPER_BACKWARD);
#define LN_QUERIES(head)                                                                    \
  LN_LAUNCH_16_BIT(of(device), dtype, tiled_attention_dq_##head,                            \
                   (Grid{cover(M, AttentionTile##head::kBackwardRows).x, heads}), kThreads, \
                   AttentionTile##head::kQueryBytes, dout, q, k, v, lse, scratch, bounds, dq, a)
  LN_TRY(LN_FOR_HEAD(D, LN_QUERIES));
#define LN_KEYS(head)                                                                             \
  LN_LAUNCH_16_BIT(of(device), dtype, tiled_attention_dkv_##head,                                 \
                   (Grid{cover(keys, AttentionTile##head::kBackwardRows).x, kv_heads,             \
                         AttentionTile##head::kKeyWalks}),                                        \
                   kThreads, AttentionTile##head::kKeyBytes, dout, q, k, v, lse, scratch, bounds, \
                   dk, dv, a)
  return LN_FOR_HEAD(D, LN_KEYS);
}

int64_t ln_cached_attention_scratch(int64_t, int64_t, int64_t, int64_t, int64_t D) {
  return D > kMostHeadDim ? refused(D) : 0;
}

// The caller keeps start + T within capacity: start lies on the card.
int ln_cached_attention_fwd(int64_t device, int64_t q, int64_t k, int64_t v, int64_t k_cache,
                            int64_t v_cache, int64_t start, int64_t o, int64_t lse, int64_t,
                            int64_t T, int64_t, int64_t heads, int64_t kv_heads, int64_t D,
                            float scale, float softcap, int64_t window, int32_t dtype) {
  int64_t row = kv_heads * D, n = T * row;
  LN_TRY(LN_LAUNCH_TYPED(of(device), dtype, cache_append, cover(n, kThreads), kThreads, 0, k,
                         k_cache, start, n, row));
  LN_TRY(LN_LAUNCH_TYPED(of(device), dtype, cache_append, cover(n, kThreads), kThreads, 0, v,
                         v_cache, start, n, row));
  AttentionArguments a{T, 0, heads, kv_heads, D, window, 0, 0, scale, softcap};
  const Grid by_query = cover(T * heads, kRowsPerBlock);
#define LN_CACHED(head)                                                                       \
  LN_LAUNCH_TYPED(of(device), dtype, attention_fwd_##head, by_query, kThreads, 0, q, k_cache, \
                  v_cache, int64_t(0), start, o, lse, a)
  return LN_FOR_PLAIN_HEAD(D, LN_CACHED);
}

}  // namespace cuda
}  // namespace ln

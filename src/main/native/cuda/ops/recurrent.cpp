// Launchers of the layers that read their document token by token.
#include "recurrent.h"

#include "cuda/launch.h"
#include "gated_delta.h"

namespace ln {
namespace cuda {

static_assert(DeltaTile::kChunk == LN_DELTA_CHUNK && DeltaTile::kWidest == LN_DELTA_WIDEST);

static Grid conv_grid(int64_t M, int64_t C) {
  Grid grid = cover(C, ShortConvTile::kThreads);
  grid.y = (M + ShortConvTile::kTokens - 1) / ShortConvTile::kTokens;
  return grid;
}

int ln_short_conv_fwd(int64_t device, int64_t x, int64_t w, int64_t doc_start, int64_t y, int64_t M,
                      int64_t C, int64_t K, int32_t dtype) {
  return LN_LAUNCH_TYPED(of(device), dtype, short_conv_fwd, conv_grid(M, C),
                         ShortConvTile::kThreads, 0, x, w, doc_start, y,
                         (ShortConvArguments{M, C, K}));
}

int ln_short_conv_bwd(int64_t device, int64_t dy, int64_t x, int64_t w, int64_t doc_start,
                      int64_t dx, int64_t M, int64_t C, int64_t K, int32_t dtype) {
  return LN_LAUNCH_TYPED(of(device), dtype, short_conv_bwd, conv_grid(M, C),
                         ShortConvTile::kThreads, 0, dy, x, w, doc_start, dx,
                         (ShortConvArguments{M, C, K}));
}

int ln_cached_short_conv_fwd(int64_t device, int64_t x, int64_t w, int64_t start, int64_t count,
                             int64_t tail, int64_t y, int64_t T, int64_t C, int64_t K,
                             int32_t dtype) {
  return LN_LAUNCH_TYPED(of(device), dtype, cached_short_conv, cover(C, ShortConvTile::kThreads),
                         ShortConvTile::kThreads, 0, x, w, start, count, tail, y,
                         (ShortConvArguments{T, C, K}));
}

int ln_delta_gates_fwd(int64_t device, int64_t a, int64_t b, int64_t a_log, int64_t dt_bias,
                       int64_t g, int64_t beta, int64_t M, int64_t H, int32_t dtype) {
  return LN_LAUNCH_TYPED(of(device), dtype, delta_gates_fwd, cover(M * H, ShortConvTile::kThreads),
                         ShortConvTile::kThreads, 0, a, b, a_log, dt_bias, g, beta, M * H, H);
}

int ln_delta_gates_bwd(int64_t device, int64_t dg, int64_t dbeta, int64_t a, int64_t b,
                       int64_t a_log, int64_t dt_bias, int64_t da, int64_t db, int64_t M, int64_t H,
                       int32_t dtype) {
  return LN_LAUNCH_TYPED(of(device), dtype, delta_gates_bwd, cover(M * H, ShortConvTile::kThreads),
                         ShortConvTile::kThreads, 0, dg, dbeta, a, b, a_log, dt_bias, da, db, M * H,
                         H);
}

static int64_t vectors(const DeltaArguments& a) { return a.M * a.heads * a.V; }

int64_t ln_delta_rule_scratch(int64_t, int64_t M, int64_t key_heads, int64_t heads, int64_t K,
                              int64_t V, int32_t backward) {
  const DeltaArguments a{M, key_heads, heads, K, V};
  return backward ? 4 * (2 * vectors(a) + DeltaTile::chunks(M) * heads * K * V) : 0;
}

int ln_delta_rule_fwd(int64_t device, int64_t q, int64_t k, int64_t v, int64_t g, int64_t beta,
                      int64_t doc_start, int64_t o, int64_t states, int64_t, int64_t M,
                      int64_t key_heads, int64_t heads, int64_t K, int64_t V, int32_t dtype) {
  const DeltaArguments a{M, key_heads, heads, K, V};
  return LN_LAUNCH_TYPED(
      of(device), dtype, delta_rule_fwd, (Grid{heads * DeltaTile::tiles(V), DeltaTile::chunks(M)}),
      DeltaTile::kThreads, DeltaTile::kSharedBytes, q, k, v, g, beta, doc_start, o, states, a);
}

int ln_delta_rule_bwd(int64_t device, int64_t dout, int64_t q, int64_t k, int64_t v, int64_t g,
                      int64_t beta, int64_t doc_start, int64_t states, int64_t dq, int64_t dk,
                      int64_t dv, int64_t dg, int64_t dbeta, int64_t scratch, int64_t M,
                      int64_t key_heads, int64_t heads, int64_t K, int64_t V, int32_t dtype) {
  const DeltaArguments a{M, key_heads, heads, K, V};
  float* u = ptr<float>(scratch);
  const DeltaScratch s{u, u + vectors(a), u + 2 * vectors(a)};
  const Grid walks{heads * DeltaTile::tiles(V), DeltaTile::chunks(M)};
  LN_TRY(LN_LAUNCH_TYPED(of(device), dtype, delta_rule_again, walks, DeltaTile::kThreads,
                         DeltaTile::kSharedBytes, k, v, g, beta, doc_start, states, s.u, a));
  LN_TRY(LN_LAUNCH_TYPED(of(device), dtype, delta_rule_back, walks, DeltaTile::kThreads,
                         DeltaTile::kSharedBytes, dout, q, k, g, beta, doc_start, dv, s.y,
                         s.dstates, a));
  return LN_LAUNCH_TYPED(of(device), dtype, delta_rule_pairs,
                         (Grid{DeltaTile::chunks(M), key_heads}), DeltaPairs::kThreads,
                         DeltaPairs::kSharedBytes, dout, q, k, g, beta, doc_start, states, s, dq,
                         dk, dg, dbeta, a);
}

int ln_cached_delta_rule_fwd(int64_t device, int64_t q, int64_t k, int64_t v, int64_t g,
                             int64_t beta, int64_t start, int64_t count, int64_t state, int64_t o,
                             int64_t T, int64_t key_heads, int64_t heads, int64_t K, int64_t V,
                             int32_t dtype) {
  const DeltaArguments a{T, key_heads, heads, K, V};
  return LN_LAUNCH_TYPED(of(device), dtype, cached_delta_rule,
                         cover(heads * DeltaTile::tiles(V), 1), DeltaTile::kThreads,
                         DeltaTile::kSharedBytes, q, k, v, g, beta, start, count, state, o, a);
}

}  // namespace cuda
}  // namespace ln

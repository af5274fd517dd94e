// Layers that read their document token by token with a state of fixed size. See lora_ops.h.
#pragma once
#include <stdint.h>

// The chunks of a row at whose borders the delta rule keeps its states, and the widest head that it
// computes.
enum { LN_DELTA_CHUNK = 64, LN_DELTA_WIDEST = 128 };

// y[m, c] = silu(z[m, c]),  z[m, c] = sum over j < K of w[c, j] x[m - (K - 1) + j, c], where tokens
// before the first of m's document count as 0: a causal convolution of each channel by itself, as
// in Mamba (Gu & Dao 2023). x [M, C], w [C, K] f32, doc_start [M] i32. Overwrites y [M, C].
int ln_short_conv_fwd(int64_t device, int64_t x, int64_t w, int64_t doc_start, int64_t y, int64_t M,
                      int64_t C, int64_t K, int32_t dtype);

// dx[m, c] = sum over j of w[c, j] dz[m + K - 1 - j, c], dz = dy silu'(z). Overwrites dx.
int ln_short_conv_bwd(int64_t device, int64_t dy, int64_t x, int64_t w, int64_t doc_start,
                      int64_t dx, int64_t M, int64_t C, int64_t K, int32_t dtype);

// The same for new tokens, for generation: tail [K - 1, C] holds the tokens before them and
// afterwards the last of them. start [1] i32: how many tokens were there before, 0 where tail holds
// nothing yet. count [1] i32: how many of the T tokens are real; y is 0 behind them. Overwrites y
// and tail.
int ln_cached_short_conv_fwd(int64_t device, int64_t x, int64_t w, int64_t start, int64_t count,
                             int64_t tail, int64_t y, int64_t T, int64_t C, int64_t K,
                             int32_t dtype);

// How much a head forgets and learns at a token: g = -exp(a_log) softplus(a + dt_bias) and beta =
// sigmoid(b).                                              Yang et al. 2024 (Gated DeltaNet)
// a, b [M, H]; a_log, dt_bias [H] f32. Overwrites g, beta [M, H] f32.
int ln_delta_gates_fwd(int64_t device, int64_t a, int64_t b, int64_t a_log, int64_t dt_bias,
                       int64_t g, int64_t beta, int64_t M, int64_t H, int32_t dtype);

// Overwrites da, db.
int ln_delta_gates_bwd(int64_t device, int64_t dg, int64_t dbeta, int64_t a, int64_t b,
                       int64_t a_log, int64_t dt_bias, int64_t da, int64_t db, int64_t M, int64_t H,
                       int32_t dtype);

// The gated delta rule (Yang et al. 2024, eq. 10). For each head, S [K, V] from 0 at the first
// token of each document on:
//   S'_t = exp(g_t) S_(t-1),  u_t = v_t - S'_t^T k_t,  S_t = S'_t + k_t (beta_t u_t)^T
//   o_t = S_t^T q_t
// q, k [M, key_heads, K]; v, o [M, heads, V]; g, beta [M, heads] f32; heads are grouped over key
// heads as in grouped attention. states [chunks, heads, K, V] f32: S before each chunk of
// LN_DELTA_CHUNK tokens that a document reaches from the one before; the rest is not written. K, V
// at most LN_DELTA_WIDEST. scratch: ln_delta_rule_scratch bytes. Overwrites o.
int ln_delta_rule_fwd(int64_t device, int64_t q, int64_t k, int64_t v, int64_t g, int64_t beta,
                      int64_t doc_start, int64_t o, int64_t states, int64_t scratch, int64_t M,
                      int64_t key_heads, int64_t heads, int64_t K, int64_t V, int32_t dtype);

// Overwrites dq, dk, dv and dg, dbeta f32.
int ln_delta_rule_bwd(int64_t device, int64_t dout, int64_t q, int64_t k, int64_t v, int64_t g,
                      int64_t beta, int64_t doc_start, int64_t states, int64_t dq, int64_t dk,
                      int64_t dv, int64_t dg, int64_t dbeta, int64_t scratch, int64_t M,
                      int64_t key_heads, int64_t heads, int64_t K, int64_t V, int32_t dtype);
int64_t ln_delta_rule_scratch(int64_t device, int64_t M, int64_t key_heads, int64_t heads,
                              int64_t K, int64_t V, int32_t backward);

// The same for new tokens, for generation: state [heads, K, V] f32 is S before them and afterwards
// S behind the last real one; start and count as in ln_cached_short_conv_fwd. Overwrites o.
int ln_cached_delta_rule_fwd(int64_t device, int64_t q, int64_t k, int64_t v, int64_t g,
                             int64_t beta, int64_t start, int64_t count, int64_t state, int64_t o,
                             int64_t T, int64_t key_heads, int64_t heads, int64_t K, int64_t V,
                             int32_t dtype);

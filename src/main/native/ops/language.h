// What language models are made of besides products; images' transformers use it too. See
// lora_ops.h.
#pragma once
#include <stdint.h>

// sum = x + residual;  y[m, c] = sum[m, c] rstd[m] w[c];  rstd[m] = 1 / sqrt(mean_c sum^2 + eps)
//                                                                     Zhang & Sennrich 2019, eq. 4
// x, residual (or 0), y, sum (0 if residual is 0) [M, C]; w [C] f32; rstd [M] f32, saved with sum.
// If table is not 0, rows are heads, `heads` of each token, and y is turned as ln_rope_fwd does it:
// all C channels, in halves; residual is then 0. Overwrites y, sum, rstd. y may be x.
int ln_rms_norm_fwd(int64_t device, int64_t x, int64_t residual, int64_t w, int64_t y, int64_t sum,
                    int64_t rstd, int64_t table, int64_t heads, int64_t M, int64_t C, float eps,
                    int32_t dtype);

// dx = rstd (dy w - sum rstd^2 mean_c(dy w sum)) + dsum. dsum [M, C] or 0: the gradient that
// reached `sum` itself. If table is not 0, dy is turned back first, and dsum is 0. Overwrites dx,
// which may be dsum or dy.
int ln_rms_norm_bwd(int64_t device, int64_t dy, int64_t dsum, int64_t sum, int64_t w, int64_t rstd,
                    int64_t dx, int64_t table, int64_t heads, int64_t M, int64_t C, int32_t dtype);

// table[m, 0..half) = s cos(p[m] f[j]), table[m, half..2 half) = s sin(p[m] f[j]), where
// s = scale (1 + beta ln(1 + floor(p[m] / length))): with beta, queries turned by it are compared
// at a temperature that falls from one length of tokens to the next (Llama 4's and Ministral 3's).
// positions [M] i32, inv_freq [half] f32, table [M, 2 half] f32. length >= 1. Overwrites table.
int ln_rope_table_fwd(int64_t device, int64_t positions, int64_t inv_freq, int64_t table, int64_t M,
                      int64_t half, float scale, float beta, int64_t length);

// The same table for tokens that lie on a grid: B images of H W tokens row by row, each with P
// tokens that fill it up and T of text behind them. A head's half is parted into axes of half0,
// half1, half2 angles, each angle p / theta^(j / half_a). p of token (row, column) is (image_at +
// moved[b], row, column), of text token n (text_at + n text_step, 0, 0), of those that fill up 0.
// moved [B] i32, or 0 for none. Angles in f64, as diffusers has them. table [B (H W + P + T), 2
// (half0 + half1 + half2)] f32, overwritten.
int ln_grid_rope_table_fwd(int64_t device, int64_t moved, int64_t table, int64_t B, int64_t H,
                           int64_t W, int64_t P, int64_t T, int64_t image_at, int64_t text_at,
                           int64_t text_step, int64_t half0, int64_t half1, int64_t half2,
                           float theta);

// Rotates the first 2 half channels of each head in Hugging Face's half form (Su et al. 2021):
// y[j] = x[j] cos - x[j + half] sin, y[j + half] = x[j + half] cos + x[j] sin; the rest is copied.
// interleaved 1: the two of a pair are neighbours, x[2 j] and x[2 j + 1], as in the paper.
// x, y [M, heads, head_dim]; inverse 1 rotates back, which is the backward. y may be x.
int ln_rope_fwd(int64_t device, int64_t x, int64_t table, int64_t y, int64_t M, int64_t heads,
                int64_t head_dim, int64_t half, int32_t interleaved, int32_t inverse,
                int32_t dtype);

// o = softmax(mask(cap(scale q k^T))) v for each head, in f32          Dao 2023 (FlashAttention-2)
// q, o [M, heads, D]; k, v [M, kv_heads, D]; bounds [M] i32: the index of the first token of m's
// document. Token m sees the keys j with bounds[m] <= j <= m, and m - j < window if window is not
// 0. With k_group not 0, attention is full within groups: M is groups of q_group queries each, and
// those of group b see the k_group keys of group b, k and v being [M / q_group * k_group, ...],
// kv_heads heads, softcap and window 0; bounds [M / q_group] i32, or 0 for none: how many of a
// group's last keys are padding, which no query sees, and not all of them. cap(s) = softcap tanh(s
// / softcap) if softcap is not 0. lse [heads, M] f32 is saved: log sum exp of the row. scratch:
// ln_attention_scratch bytes. Overwrites o, lse.
int ln_attention_fwd(int64_t device, int64_t q, int64_t k, int64_t v, int64_t bounds, int64_t o,
                     int64_t lse, int64_t scratch, int64_t M, int64_t heads, int64_t kv_heads,
                     int64_t D, float scale, float softcap, int64_t window, int64_t q_group,
                     int64_t k_group, int32_t dtype);

// Gradients dq, dk, dv from dout and what forward saved. Overwrites all three.
int ln_attention_bwd(int64_t device, int64_t dout, int64_t q, int64_t k, int64_t v, int64_t o,
                     int64_t lse, int64_t bounds, int64_t dq, int64_t dk, int64_t dv,
                     int64_t scratch, int64_t M, int64_t heads, int64_t kv_heads, int64_t D,
                     float scale, float softcap, int64_t window, int64_t q_group, int64_t k_group,
                     int32_t dtype);
// Scratch for documents of at most max_document tokens; below 0, ln_last_error says why not.
int64_t ln_attention_scratch(int64_t device, int64_t M, int64_t heads, int64_t D,
                             int64_t max_document, int64_t q_group, int64_t k_group,
                             int32_t backward, int32_t dtype);

// Attention with a key-value cache, for generation: writes k, v at rows [start, start + T) of the
// caches, then token t attends to the rows up to start + t. start [1] i32. q, o [T, heads, D];
// k, v [T, kv_heads, D]; k_cache, v_cache [capacity, kv_heads, D]. lse [heads, T] f32 or 0 for
// none. Overwrites o and lse. LN_INVALID if start + T is beyond capacity.
int ln_cached_attention_fwd(int64_t device, int64_t q, int64_t k, int64_t v, int64_t k_cache,
                            int64_t v_cache, int64_t start, int64_t o, int64_t lse, int64_t scratch,
                            int64_t T, int64_t capacity, int64_t heads, int64_t kv_heads, int64_t D,
                            float scale, float softcap, int64_t window, int32_t dtype);

int64_t ln_cached_attention_scratch(int64_t device, int64_t T, int64_t capacity, int64_t heads,
                                    int64_t D);

// y [rows, columns] = act(gate) up, elementwise. gate and up have pitch elements from row to row:
// they may be columns of one matrix. act: LN_SILU (SwiGLU), LN_GELU or LN_GELU_TANH (GeGLU),
// Shazeer 2020. Overwrites y.
int ln_glu_fwd(int64_t device, int64_t gate, int64_t up, int64_t y, int64_t rows, int64_t columns,
               int64_t pitch, int32_t act, int32_t dtype);

// dgate = dy up act'(gate), dup = dy act(gate), with gate's and up's pitch. Overwrites both; dup
// may be dy where the pitch is columns, and dgate may be gate.
int ln_glu_bwd(int64_t device, int64_t dy, int64_t gate, int64_t up, int64_t dgate, int64_t dup,
               int64_t rows, int64_t columns, int64_t pitch, int32_t act, int32_t dtype);

// y = act(x), elementwise over n. Overwrites y.
int ln_activation_fwd(int64_t device, int64_t x, int64_t y, int64_t n, int32_t act, int32_t dtype);

// dx = dy act'(x). Overwrites dx, which may be dy.
int ln_activation_bwd(int64_t device, int64_t dy, int64_t x, int64_t dx, int64_t n, int32_t act,
                      int32_t dtype);

// loss[0] = sum over rows with label >= 0 of -log softmax(cap(h w^T))[label], times
// step.inv_labelled; and, in the same pass, dh = its gradient times step.loss_scale (0 in rows
// without a label).
// losses[m] = a row's term of the sum, 0 without a label; accuracy[0] = step.inv_labelled times the
// number of rows whose label has the largest logit.
// With dw also dw += dz^T h over the rows with a label, dz the logits' gradient in h's dtype.
// h [M, C], w [V, C], labels [M] i32 (below 0 = no label), loss, losses [M], accuracy f32, dh [M,
// C] or 0 (evaluation), dw [V, C] f32 or 0 (w is frozen). Logits exist for `chunk` labelled rows at
// a time, in scratch; 0: as many as the device finds good. Overwrites loss, losses, accuracy and
// dh. scratch: ln_linear_cross_entropy_scratch bytes, `backward` if dh is wanted.
int ln_linear_cross_entropy_fwd(int64_t device, int64_t h, int64_t w, int64_t labels, int64_t step,
                                int64_t loss, int64_t losses, int64_t accuracy, int64_t dh,
                                int64_t dw, int64_t scratch, int64_t M, int64_t C, int64_t V,
                                float softcap, int64_t chunk, int32_t w_dtype, int32_t dtype);
int64_t ln_linear_cross_entropy_scratch(int64_t device, int64_t M, int64_t C, int64_t V,
                                        int64_t chunk, int32_t w_dtype, int32_t dtype,
                                        int32_t backward);

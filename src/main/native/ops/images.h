// Norms, convolutions and what else models of images are made of. See lora_ops.h.
#pragma once
#include <stdint.h>

// y = (x - mean) rstd w + b over each row, rstd = 1 / sqrt(var + eps)       Ba et al. 2016
// x, y [M, C]; w, b [C] f32; stats [M, 2] f32: mean and rstd, saved. Overwrites y, stats.
int ln_layer_norm_fwd(int64_t device, int64_t x, int64_t w, int64_t b, int64_t y, int64_t stats,
                      int64_t M, int64_t C, float eps, int32_t dtype);

// dx = rstd (g - mean(g) - xhat mean(g xhat)), g = dy w, xhat = (x - mean) rstd. Overwrites dx,
// which may be dy.
int ln_layer_norm_bwd(int64_t device, int64_t dy, int64_t x, int64_t w, int64_t stats, int64_t dx,
                      int64_t M, int64_t C, int32_t dtype);

// Layer norm over each image and group of channels, w and b by channel; then silu if silu is 1.
// x, y [B, N, C] (N = H W); w, b [C] f32; stats [B, groups, 2] f32, saved. scratch:
// ln_group_norm_scratch bytes. Overwrites y, stats.                                 Wu & He 2018
int ln_group_norm_fwd(int64_t device, int64_t x, int64_t w, int64_t b, int64_t y, int64_t stats,
                      int64_t scratch, int64_t B, int64_t N, int64_t C, int64_t groups, float eps,
                      int32_t silu, int32_t dtype);

// As ln_layer_norm_bwd, over groups; dy passes back through silu first. Overwrites dx, which may be
// dy.
int ln_group_norm_bwd(int64_t device, int64_t dy, int64_t x, int64_t w, int64_t b, int64_t stats,
                      int64_t dx, int64_t scratch, int64_t B, int64_t N, int64_t C, int64_t groups,
                      int32_t silu, int32_t dtype);
// Scratch of either.
int64_t ln_group_norm_scratch(int64_t device, int64_t B, int64_t N, int64_t C, int64_t groups);

// y[b, oy, ox, o] = sum x[b, oy stride + ky - pad, ox stride + kx - pad, i] w[o, ky, kx, i] +
// bias[o] x [B, H, W, I], zeros around it; w [O, kernel, kernel, I]; bias [O] f32 or 0; y [B, OH,
// OW, O]. Padding is `pad` before, and after it what OH and OW need. Overwrites y.
int ln_conv2d_fwd(int64_t device, int64_t x, int64_t w, int64_t bias, int64_t y, int64_t B,
                  int64_t H, int64_t W, int64_t I, int64_t OH, int64_t OW, int64_t O,
                  int64_t kernel, int64_t stride, int64_t pad, int32_t dtype);

// dx from dy [B, OH, OW, O]. Overwrites dx.
int ln_conv2d_bwd(int64_t device, int64_t dy, int64_t w, int64_t dx, int64_t B, int64_t H,
                  int64_t W, int64_t I, int64_t OH, int64_t OW, int64_t O, int64_t kernel,
                  int64_t stride, int64_t pad, int32_t dtype);

// dw [O, kernel, kernel, I] f32 from dy and x, for a weight that is made in the graph. scratch:
// ln_conv2d_weight_scratch bytes. Overwrites dw.
int ln_conv2d_weight_bwd(int64_t device, int64_t dy, int64_t x, int64_t dw, int64_t scratch,
                         int64_t B, int64_t H, int64_t W, int64_t I, int64_t OH, int64_t OW,
                         int64_t O, int64_t kernel, int64_t stride, int64_t pad, int32_t dtype);
int64_t ln_conv2d_weight_scratch(int64_t device, int64_t B, int64_t I, int64_t OH, int64_t OW,
                                 int32_t dtype);

// y += s xa B^T,  xa = conv(drop(x), A): the low-rank branch of a convolution (LoCon), beside the
// frozen one whose result y holds.                                    Yeh et al. 2023 (LyCORIS)
// x [B, H, W, I]; a [rank, kernel, kernel, I], b [O, rank] as ln_lora_linear_fwd; y [B, OH, OW, O];
// xa [B, OH, OW, rank (in 16 bits rounded up to 8)], saved for backward. Stride, padding as
// ln_conv2d_fwd, drop and scratch as ln_lora_linear_fwd. Adds to y, overwrites xa.
int ln_lora_conv2d_fwd(int64_t device, int64_t x, int64_t a, int64_t b, int64_t y, int64_t xa,
                       int64_t scratch, int64_t step, int64_t B, int64_t H, int64_t W, int64_t I,
                       int64_t OH, int64_t OW, int64_t O, int64_t kernel, int64_t stride,
                       int64_t pad, int64_t rank, float scale, float dropout, int32_t stream,
                       int32_t dtype);

// dyb = s dy B;  dx = mask(conv^T(dyb, A));  da += dyb and drop(x), correlated;  db += s dy^T xa.
// dx is 0 when nobody wants it, else overwritten. da, db f32: adds.
int ln_lora_conv2d_bwd(int64_t device, int64_t dy, int64_t x, int64_t xa, int64_t a, int64_t b,
                       int64_t dx, int64_t da, int64_t db, int64_t scratch, int64_t step, int64_t B,
                       int64_t H, int64_t W, int64_t I, int64_t OH, int64_t OW, int64_t O,
                       int64_t kernel, int64_t stride, int64_t pad, int64_t rank, float scale,
                       float dropout, int32_t stream, int32_t dtype);
int64_t ln_lora_conv2d_scratch(int64_t device, int64_t B, int64_t H, int64_t W, int64_t I,
                               int64_t OH, int64_t OW, int64_t O, int64_t kernel, int64_t rank,
                               float dropout, int32_t dtype);

// y[b, oy, ox, c] = x[b, oy / 2, ox / 2, c]: each pixel four times (nearest). x [B, H, W, C], y [B,
// OH, OW, C] with OH one of 2H and 2H - 1, OW likewise. Overwrites y.
int ln_upsample_fwd(int64_t device, int64_t x, int64_t y, int64_t B, int64_t H, int64_t W,
                    int64_t OH, int64_t OW, int64_t C, int32_t dtype);

// dx = the sum of the four. Overwrites dx.
int ln_upsample_bwd(int64_t device, int64_t dy, int64_t dx, int64_t B, int64_t H, int64_t W,
                    int64_t OH, int64_t OW, int64_t C, int32_t dtype);

// y[b, n, c] = x[b, n, c] + t[b, c]. Overwrites y, which may be x.
int ln_add_rows_fwd(int64_t device, int64_t x, int64_t t, int64_t y, int64_t B, int64_t N,
                    int64_t C, int32_t dtype);

// dt[b, c] = sum over n of dy[b, n, c]; the gradient of x is dy itself. Overwrites dt.
int ln_add_rows_bwd(int64_t device, int64_t dy, int64_t dt, int64_t B, int64_t N, int64_t C,
                    int32_t dtype);

// y = xhat (1 + scale[b]) + shift[b], xhat = (x - mean) rstd over each row: a layer norm whose
// weight and bias are made of a timestep (adaLN).                            Peebles & Xie 2023
// (DiT) x, y [B, N, C]; scale, shift [B, C]; stats [B, N, 2] f32: mean and rstd, saved. Overwrites
// y, stats.
int ln_modulated_norm_fwd(int64_t device, int64_t x, int64_t scale, int64_t shift, int64_t y,
                          int64_t stats, int64_t B, int64_t N, int64_t C, float eps, int32_t dtype);

// dx as ln_layer_norm_bwd, with w = 1 + scale[b]. Overwrites dx, which may be dy.
int ln_modulated_norm_bwd(int64_t device, int64_t dy, int64_t x, int64_t scale, int64_t stats,
                          int64_t dx, int64_t B, int64_t N, int64_t C, int32_t dtype);

// dscale[b, c] = sum over n of dy xhat, dshift[b, c] = sum over n of dy. Overwrites both [B, C].
int ln_modulated_norm_weight_bwd(int64_t device, int64_t dy, int64_t x, int64_t stats,
                                 int64_t dscale, int64_t dshift, int64_t B, int64_t N, int64_t C,
                                 int32_t dtype);

// y[b, n, c] = x[b, n, c] + gate[b, c] z[b, n, c]: what a block of DiT adds. Overwrites y, which
// may be x or z.
int ln_gated_add_fwd(int64_t device, int64_t x, int64_t z, int64_t gate, int64_t y, int64_t B,
                     int64_t N, int64_t C, int32_t dtype);

// dz = gate[b] dy; the gradient of x is dy itself. Overwrites dz.
int ln_gated_add_bwd(int64_t device, int64_t dy, int64_t gate, int64_t dz, int64_t B, int64_t N,
                     int64_t C, int32_t dtype);

// dgate[b, c] = sum over n of dy z. Overwrites dgate.
int ln_gated_add_weight_bwd(int64_t device, int64_t dy, int64_t z, int64_t dgate, int64_t B,
                            int64_t N, int64_t C, int32_t dtype);

// y[b] = the window [rows, columns] of x[b] [R, C] that begins at (top, left); shared 1: of the one
// x [R, C] for every b. Overwrites y [B, rows, columns]. The backward is ln_pad_fwd.
int ln_crop_fwd(int64_t device, int64_t x, int64_t y, int64_t B, int64_t R, int64_t C, int64_t top,
                int64_t left, int64_t rows, int64_t columns, int32_t shared, int32_t dtype);

// y[b] [R, C] = x[b] [rows, columns] from (top, left) on, zeros around it. Overwrites y. The
// backward is ln_crop_fwd.
int ln_pad_fwd(int64_t device, int64_t x, int64_t y, int64_t B, int64_t R, int64_t C, int64_t top,
               int64_t left, int64_t rows, int64_t columns, int32_t dtype);

// Pixels [B, H, W, C] as tokens [B, H / p, W / p, p p C]: y[b, h, w, (i, j, c)] = x[b, h p + i, w p
// + j, c], or (c, i, j) if channels_first is 1. inverse 1: from tokens x back to pixels y, which is
// the backward. Overwrites y.
int ln_patchify_fwd(int64_t device, int64_t x, int64_t y, int64_t B, int64_t H, int64_t W,
                    int64_t C, int64_t p, int32_t channels_first, int32_t inverse, int32_t dtype);

// o = softmax(q k^T + bias) v within each of B texts of T tokens, full, for each head, without a
// scale (T5: Raffel et al. 2020). q, k, v, o [B, T, heads, D]; bias [2 T - 1, heads] of dtype: row
// j - i + T - 1 is added where token i sees token j. padding [B] i32, or 0 for none: how many of a
// text's last tokens no token sees, and not all of them. Overwrites o. No backward: T5 stays
// frozen.
int ln_biased_attention_fwd(int64_t device, int64_t q, int64_t k, int64_t v, int64_t bias,
                            int64_t padding, int64_t o, int64_t B, int64_t T, int64_t heads,
                            int64_t D, int32_t dtype);

// y[b, j] = sin(t[b] f[j]), y[b, j + dim / 2] = cos(t[b] f[j]), the two exchanged if cosine_first
// is 1; f[j] = 10000^(-j / (dim / 2 - shift)), as diffusers' get_timestep_embedding. t [B] f32, y
// [B, dim] of dtype. Overwrites y.
int ln_timestep_embedding_fwd(int64_t device, int64_t t, int64_t y, int64_t B, int64_t dim,
                              int32_t cosine_first, float shift, int32_t dtype);

// loss[0] = sum over b of weights[b] mean_i e(y[b, i] - target[b, i]), times step.inv_labelled; and
// in the same pass dy = its gradient times step.loss_scale, and losses[b] = mean_i e, without
// weights[b]. e(d) = d^2, or with huber c > 0 the pseudo-Huber 2c (sqrt(d^2 + c^2) - c), times
// mask[b, i / C] where there is a mask. y [B, n]; target [B, n], weights [B], mask [B, n / C] or 0,
// loss, losses [B] f32; dy [B, n] or 0 (evaluation). Sums in f64, in a fixed order. Overwrites
// loss, losses and dy.
int ln_mse_fwd(int64_t device, int64_t y, int64_t target, int64_t weights, int64_t mask,
               int64_t step, int64_t loss, int64_t losses, int64_t dy, int64_t scratch, int64_t B,
               int64_t n, int64_t C, float huber, int32_t dtype);
int64_t ln_mse_scratch(int64_t device, int64_t B, int64_t n);

// Optimizer steps. See lora_ops.h.
#pragma once
#include <stdint.h>

// out[0] = norm of g / step.loss_scale, g [n] f32; out[1] = min(1, max_norm / (norm + 1e-6)), or 1
// if max_norm is 0 (PyTorch's clip_grad_norm_), divided by step.loss_scale. Sums in f64, in a fixed
// order. Overwrites out.
int ln_global_norm_fwd(int64_t device, int64_t g, int64_t step, int64_t out, int64_t scratch,
                       int64_t n, float max_norm);
int64_t ln_global_norm_scratch(int64_t device, int64_t n);

// AdamW (Loshchilov & Hutter 2019), many adapters in one launch. With g = clip[1] grad, lr = rate
// step.learning_rate:
//   m += (1 - beta1)(g - m);  v += (1 - beta2)(g^2 - v)
//   p -= lr (m / bias1 / (sqrt(v / bias2) + eps) + weight_decay p)
// p, grad, m, v [n] f32; bias1, bias2 from step. Overwrites p, m, v; zeroes grad. Where the
// norm clip[0] is not finite only grad changes.
int ln_adamw_fwd(int64_t device, int64_t p, int64_t grad, int64_t m, int64_t v, int64_t clip,
                 int64_t step, int64_t n, float rate, float beta1, float beta2, float eps,
                 float weight_decay);

// The same with moments of 8 bits in blocks of 256 (Dettmers et al. 2022, "8-bit Optimizers via
// Block-wise Quantization"): m = codes[m_bits] m_scale, v = codes[256 + v_bits] v_scale, the scale
// a block's largest. p moves by the moments before they are rounded; a v above 0 stays above 0. m,
// v u8 [n]; m_scale, v_scale f32 [n / 256, rounded up]; codes f32 [512], ln_dynamic_codes'.
// Overwrites p, m, v and the scales; zeroes grad.
int ln_adamw8bit_fwd(int64_t device, int64_t p, int64_t grad, int64_t m, int64_t v, int64_t m_scale,
                     int64_t v_scale, int64_t codes, int64_t clip, int64_t step, int64_t n,
                     float rate, float beta1, float beta2, float eps, float weight_decay);

// Lion (Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms"). With g = clip[1] grad,
// lr = rate step.learning_rate:
//   p -= lr (sign(beta1 m + (1 - beta1) g) + weight_decay p);  m = beta2 m + (1 - beta2) g
// p, grad, m [n] f32. Overwrites p, m; zeroes grad. Where the norm clip[0] is not finite only grad
// changes.
int ln_lion_fwd(int64_t device, int64_t p, int64_t grad, int64_t m, int64_t clip, int64_t step,
                int64_t n, float rate, float beta1, float beta2, float weight_decay);

// The exponential average of parameters over steps, as diffusers' EMAModel: after step k =
// step.step
//   average -= s (average - p);  s = 1 if k is 1, else max(share, 9 / (9 + k))
// where share is 1 - decay, and 9 / (9 + k) 1 minus the warm-up's decay k / (9 + k). p, average
// [n] f32. Overwrites average, unless the norm clip[0] is not finite.
int ln_ema_fwd(int64_t device, int64_t p, int64_t average, int64_t clip, int64_t step, int64_t n,
               float share);

// How much a step counts in the average that schedule-free learning keeps of all steps (Defazio et
// al. 2024, "The Road Less Scheduled"): with lr = step.learning_rate,
//   average[0] = max(average[0], lr);  average[1] += average[0]^2
//   average[2] = average[0]^2 / average[1], or 0 while that is 0
// average [3] f32, overwritten, but not where the norm clip[0] is not finite.
int ln_schedule_free_weight_fwd(int64_t device, int64_t average, int64_t clip, int64_t step);

// Schedule-free AdamW (likewise). With g = clip[1] grad, lr = rate step.learning_rate, c =
// average[2]:
//   v += (1 - beta2)(g^2 - v);  d = g / (sqrt(v / bias2) + eps) + weight_decay y
//   y += c (z - y) + lr (beta1 (1 - c) - 1) d;  z -= lr d
// Gradients are taken at y; what is learnt is x = y + (1 - 1 / beta1)(z - y). y, grad, z, v [n]
// f32. Overwrites y, z, v; zeroes grad. Where the norm clip[0] is not finite only grad changes.
int ln_schedule_free_adamw_fwd(int64_t device, int64_t y, int64_t grad, int64_t z, int64_t v,
                               int64_t average, int64_t clip, int64_t step, int64_t n, float rate,
                               float beta1, float beta2, float eps, float weight_decay);

// The first half of a step of Prodigy (Mishchenko & Defazio 2023). With g = clip[1] grad, d =
// distance[0], lr = d step.learning_rate:
//   m = beta1 m + (1 - beta1) d g;  v = beta2 v + (1 - beta2) d^2 g^2
//   s = beta3 s + d / d0 (warmup ? d : lr) g
//   distance[1] = beta3 distance[1] + d / d0 lr <g, p0 - p>;  distance[2] = d
//   distance[0] = max(d, distance[1] / sum |s|)
// Where all s are 0 distance[2] is 0 and the rest of it as before. Sums in f64, in a fixed order.
// p, grad, p0, m, v, s [n] f32, distance [3] f32. Overwrites m, v, s and distance; zeroes grad.
// Where the norm clip[0] is not finite only grad changes. scratch: ln_prodigy_moments_scratch
// bytes.
int ln_prodigy_moments_fwd(int64_t device, int64_t p, int64_t grad, int64_t p0, int64_t m,
                           int64_t v, int64_t s, int64_t distance, int64_t clip, int64_t step,
                           int64_t scratch, int64_t n, float beta1, float beta2, float beta3,
                           float d0, int32_t warmup);
int64_t ln_prodigy_moments_scratch(int64_t device, int64_t n);

// The second half: with lr = distance[2] step.learning_rate,
//   p -= lr (m / (sqrt(v) + distance[0] eps) + weight_decay p)
// p, m, v [n] f32. Overwrites p, but not where the norm clip[0] is not finite.
int ln_prodigy_fwd(int64_t device, int64_t p, int64_t m, int64_t v, int64_t distance, int64_t clip,
                   int64_t step, int64_t n, float eps, float weight_decay);

// Adafactor (Shazeer & Stern 2018) without momentum, over `count` matrices of those that `matrices`
// lists, from `first` on. A running mean of squares is kept as the means of its rows and of its
// columns and stands for row column / mean(row). With g = clip[1] grad, lr = rate
// step.learning_rate, f = step^-0.8:
//   row += f (mean over columns of g^2 + 1e-30 - row);  column likewise, over rows
//   u = g / sqrt(row column / mean(row));  u /= max(1, rms(u))
//   p -= lr (u + weight_decay p)
// p, grad f32; matrices i32 [., 6]: which sixteen numbers of p each begins at, as p may have more
// numbers than an i32 counts; rows, columns, where its rows' means begin in row and its columns' in
// column (f32), axes. A vector is a matrix of one row and one
// axis. Overwrites p, row, column; zeroes grad. Where the norm clip[0] is not finite only grad
// changes.
int ln_adafactor_fwd(int64_t device, int64_t p, int64_t grad, int64_t row, int64_t column,
                     int64_t matrices, int64_t clip, int64_t step, int64_t first, int64_t count,
                     float rate, float weight_decay);

// CAME (Luo et al. 2023): u as Adafactor has it, with f = 1 - beta2, then
//   m = beta1 m + (1 - beta1) u;  with (u - m)^2 + 1e-16 for the square and f = 1 - beta3
//   residual_row and residual_column as row and column
//   p -= lr (m / sqrt(residual_row residual_column / mean(residual_row)) + weight_decay p)
// For a vector p -= lr (m + weight_decay p). m f32 in the layout of p; the rest as for Adafactor.
int ln_came_fwd(int64_t device, int64_t p, int64_t grad, int64_t m, int64_t row, int64_t column,
                int64_t residual_row, int64_t residual_column, int64_t matrices, int64_t clip,
                int64_t step, int64_t first, int64_t count, float rate, float beta1, float beta2,
                float beta3, float weight_decay);

// Mixtures of experts. See lora_ops.h.
#pragma once
#include <stdint.h>

// The experts of a mixture that each token goes to. p = softmax(logits) in f32; chosen [M, k] i32
// are the k largest, the larger first, of equal ones the lower expert first; weights [M, k] f32
// their p, over the sum of the k if normalize is 1.                             Fedus et al. 2021;
// Qwen3-MoE The slots m k + j are put in the order of their experts, of one expert in their own:
// order [M k] i32 is the slot of each row, place [M k] i32 the row of each slot, and rows
// offsets[e] to offsets[e + 1] - 1 are those of expert e, offsets [E + 1] i32. logits [M, E] of
// dtype, k <= 32, k
// <= E. Overwrites all five.
int ln_route_fwd(int64_t device, int64_t logits, int64_t weights, int64_t chosen, int64_t order,
                 int64_t place, int64_t offsets, int64_t M, int64_t E, int64_t k, int32_t normalize,
                 int32_t dtype);

// dlogits from dweights [M, k] f32; the choice itself has no gradient. Overwrites dlogits [M, E].
int ln_route_bwd(int64_t device, int64_t dweights, int64_t logits, int64_t weights, int64_t chosen,
                 int64_t dlogits, int64_t M, int64_t E, int64_t k, int32_t normalize,
                 int32_t dtype);

// Likewise by the sigmoid of each logit (DeepSeek-V3, GLM-4.5): s = sigmoid(logits). The k experts
// are those of the largest s + bias among the top_groups best of `groups` groups of neighbours, a
// group being worth the sum of its two largest; of equal ones the lower comes first. weights =
// scale times their s, over the sum of the k if normalize is 1. bias [E] f32 or 0 for none; groups
// divides E, groups <= 32. The rest as in ln_route_fwd.
int ln_sigmoid_route_fwd(int64_t device, int64_t logits, int64_t bias, int64_t weights,
                         int64_t chosen, int64_t order, int64_t place, int64_t offsets, int64_t M,
                         int64_t E, int64_t k, int64_t groups, int64_t top_groups,
                         int32_t normalize, float scale, int32_t dtype);

// dlogits from dweights [M, k] f32; the choice itself has no gradient. Overwrites dlogits [M, E].
int ln_sigmoid_route_bwd(int64_t device, int64_t dweights, int64_t logits, int64_t chosen,
                         int64_t dlogits, int64_t M, int64_t E, int64_t k, int32_t normalize,
                         float scale, int32_t dtype);

// y[r] = weights[order[r]] x[order[r] / k], weights [R] f32 or 0 for ones: the rows of x [R / k, C]
// as their experts want them. Overwrites y [R, C].
int ln_gather_rows_fwd(int64_t device, int64_t x, int64_t order, int64_t weights, int64_t y,
                       int64_t R, int64_t k, int64_t C, int32_t dtype);

// y[m] = sum over j of weights[m, j] x[place[m, j]], in f32 and in the order of j; weights [M, k]
// f32 or 0 for ones. x [M k, C]. Overwrites y [M, C].
int ln_combine_rows_fwd(int64_t device, int64_t x, int64_t place, int64_t weights, int64_t y,
                        int64_t M, int64_t k, int64_t C, int32_t dtype);

// dweights[m, j] = dy[m] . x[place[m, j]], f32. Overwrites dweights [M, k].
int ln_combine_rows_weight_bwd(int64_t device, int64_t dy, int64_t x, int64_t place,
                               int64_t dweights, int64_t M, int64_t k, int64_t C, int32_t dtype);

// y[r] = W[e] x[r], where rows offsets[e] to offsets[e + 1] - 1 are expert e's and there are R in
// all: one launch for all experts. x [R, in], w [E, out, in], y [R, out]. scratch:
// ln_expert_linear_scratch bytes, for both directions. Overwrites y.
int ln_expert_linear_fwd(int64_t device, int64_t x, int64_t w, int64_t offsets, int64_t y,
                         int64_t scratch, int64_t R, int64_t E, int64_t in, int64_t out,
                         int32_t w_dtype, int32_t dtype);

// dx[r] = W[e]^T dy[r]. Overwrites dx, or adds to it if accumulate is 1.
int ln_expert_linear_bwd(int64_t device, int64_t dy, int64_t w, int64_t offsets, int64_t dx,
                         int64_t scratch, int64_t R, int64_t E, int64_t in, int64_t out,
                         int32_t accumulate, int32_t w_dtype, int32_t dtype);
int64_t ln_expert_linear_scratch(int64_t device, int64_t in, int64_t out, int32_t w_dtype,
                                 int32_t dtype);

// The linear layers of experts that each have an adapter (Hu et al. 2021): xa[r] = s A[e] x[r],
// y[r] = W[e] x[r] + B[e] xa[r], in one launch each. a [E, pitch, in], b [E, out, pitch], of dtype,
// pitch = rank, in 16 bits rounded up to 8 and filled up with zeros; xa [R, pitch]. scratch:
// ln_lora_expert_linear_scratch bytes, for both directions. Overwrites y and xa.
int ln_lora_expert_linear_fwd(int64_t device, int64_t x, int64_t w, int64_t a, int64_t b,
                              int64_t offsets, int64_t y, int64_t xa, int64_t scratch, int64_t R,
                              int64_t E, int64_t in, int64_t out, int64_t rank, float scale,
                              int32_t w_dtype, int32_t dtype);

// dx[r] = W[e]^T dy[r] + s A[e]^T B[e]^T dy[r]; dA[e] and dB[e] from the rows of e, in their order.
// Overwrites dx, or adds to it if accumulate is 1, or leaves it out if it is 0; adds to da and db.
int ln_lora_expert_linear_bwd(int64_t device, int64_t dy, int64_t x, int64_t xa, int64_t w,
                              int64_t a, int64_t b, int64_t offsets, int64_t dx, int64_t da,
                              int64_t db, int64_t scratch, int64_t R, int64_t E, int64_t in,
                              int64_t out, int64_t rank, float scale, int32_t accumulate,
                              int32_t w_dtype, int32_t dtype);
int64_t ln_lora_expert_linear_scratch(int64_t device, int64_t R, int64_t E, int64_t in, int64_t out,
                                      int64_t rank, int32_t w_dtype, int32_t dtype);

// y[r] = x[r] + bias[e] where row r is expert e's: chosen and order as ln_route_fwd makes them.
// bias [E, C] f32. Overwrites y [R, C], which may be x.
int ln_expert_bias_fwd(int64_t device, int64_t x, int64_t bias, int64_t chosen, int64_t order,
                       int64_t y, int64_t R, int64_t C, int32_t dtype);

// The gated unit of gpt-oss: with g = min(gate, limit) and u = up within -limit and limit,
// y = (u + 1) g sigmoid(alpha g). gate and up [rows, columns], a row `pitch` behind the one before,
// a number `step` behind the one before; up and dup are 0 where each gate has its up behind it.
// Overwrites y [rows, columns].
int ln_clamped_glu_fwd(int64_t device, int64_t gate, int64_t up, int64_t y, int64_t rows,
                       int64_t columns, int64_t pitch, int64_t step, float alpha, float limit,
                       int32_t dtype);

// Both gradients, laid out as gate and up; none where one is clamped. Overwrites both.
int ln_clamped_glu_bwd(int64_t device, int64_t dy, int64_t gate, int64_t up, int64_t dgate,
                       int64_t dup, int64_t rows, int64_t columns, int64_t pitch, int64_t step,
                       float alpha, float limit, int32_t dtype);

// Attention in which each head has a sink (Xiao et al. 2023; gpt-oss): one more logit that a token
// may look at instead, without a key or value. sinks [heads] f32, the rest as ln_attention_fwd,
// whose backward this shares: lse counts the sink.
int ln_sink_attention_fwd(int64_t device, int64_t q, int64_t k, int64_t v, int64_t sinks,
                          int64_t bounds, int64_t o, int64_t lse, int64_t scratch, int64_t M,
                          int64_t heads, int64_t kv_heads, int64_t D, float scale, int64_t window,
                          int32_t dtype);

// Likewise ln_cached_attention_fwd. lse [heads, T] f32 is overwritten, too.
int ln_cached_sink_attention_fwd(int64_t device, int64_t q, int64_t k, int64_t v, int64_t k_cache,
                                 int64_t v_cache, int64_t sinks, int64_t start, int64_t o,
                                 int64_t lse, int64_t scratch, int64_t T, int64_t capacity,
                                 int64_t heads, int64_t kv_heads, int64_t D, float scale,
                                 int64_t window, int32_t dtype);

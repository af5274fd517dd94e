// Matrix products, the adapters beside and in them, and what moves or adds numbers. See lora_ops.h.
#pragma once
#include <stdint.h>

// dst [rows, columns] = elements of src, whatever its storage type; row r begins at element first +
// r pitch. dst_dtype F32, BF16 or F16. For block types first, columns and pitch are multiples of
// the block (32; 64 for NF4; 128 for FP8; 256 for the K types). Formats: block_q8_0 to block_mxfp4
// of ggml, LN_NF4 and LN_FP8. Overwrites dst. Source in host memory; a card takes one row only.
int ln_dequantize_fwd(int64_t device, int64_t src, int32_t src_dtype, int64_t dst,
                      int32_t dst_dtype, int64_t first, int64_t rows, int64_t columns,
                      int64_t pitch);

// y [rows, columns] = the frozen matrix w [rows, columns] in blocks, on the device, as numbers of
// dtype. Overwrites y.
int ln_dequantize_matrix_fwd(int64_t device, int64_t w, int64_t y, int64_t rows, int64_t columns,
                             int32_t w_dtype, int32_t dtype);

// y[i] = x[i] in another dtype, rounded to nearest; n elements. One of the two is LN_F32.
// Overwrites y.
int ln_cast_fwd(int64_t device, int64_t x, int32_t x_dtype, int64_t y, int32_t y_dtype, int64_t n);

// y [padded_rows, padded_columns] = x [rows, columns] f32, rounded to nearest, zeros around it.
// dtype is that of y, of 16 bits. Overwrites y.
int ln_round_padded_fwd(int64_t device, int64_t x, int64_t y, int64_t rows, int64_t columns,
                        int64_t padded_rows, int64_t padded_columns, int32_t dtype);

// The same for many matrices of one flat buffer, x [...] f32, in one launch. parts [count, 6] i32:
// where a matrix begins in x, in 16 numbers; where its copy begins in y, in 32 numbers; rows,
// columns, padded_rows, padded_columns. Overwrites the copies.
int ln_round_parts_fwd(int64_t device, int64_t x, int64_t parts, int64_t y, int64_t count,
                       int32_t dtype);

// y[m, c] = w[ids[m], c] * scale. ids [M] i32, w [V, C] of y's dtype, in blocks or f32, y [M, C].
// Overwrites y.
// LN_INVALID if an id is outside [0, V).
int ln_embedding_fwd(int64_t device, int64_t ids, int64_t w, int64_t y, int64_t M, int64_t C,
                     int64_t V, float scale, int32_t w_dtype, int32_t dtype);

// dw[v] = scale sum dy[m] over the m with ids[m] = v, in their order: for few rows of w, which is
// an activation that rows are picked from. Overwrites dw [V, C].
int ln_embedding_bwd(int64_t device, int64_t dy, int64_t ids, int64_t dw, int64_t M, int64_t C,
                     int64_t V, float scale, int32_t dtype);

// dw[ids[m]] += scale dy[m] for every m, in their order: for a trained table of many rows.
// dy [M, C], ids [M] i32 within the table, dw [V, C] f32.
int ln_embedding_weight_bwd(int64_t device, int64_t dy, int64_t ids, int64_t dw, int64_t M,
                            int64_t C, float scale, int32_t dtype);

// y = x W0^T (+ bias). x [M, in], w0 [out, in], bias [out] f32 or 0, y [M, out] of dtype y_dtype.
// scratch: ln_linear_scratch bytes, for both directions. Overwrites y. If gate is not 0, y is the
// up of a gated linear unit that is made with it, in one pass where the device can: gated [M, out]
// = act(gate) y as ln_glu_fwd, whose act it is.
int ln_linear_fwd(int64_t device, int64_t x, int64_t w0, int64_t bias, int64_t y, int64_t scratch,
                  int64_t gate, int64_t gated, int32_t act, int64_t M, int64_t in, int64_t out,
                  int32_t w_dtype, int32_t dtype, int32_t y_dtype);

// dx = dy W0. dy [M, out], dx [M, in]. Overwrites dx, or adds to it if accumulate is 1. If gate is
// not 0, x was made by a gated linear unit of gate and up [M, in], and accumulate is 0: dx takes
// the gradient of up, and dgate, which may be gate, that of gate, as ln_glu_bwd.
int ln_linear_bwd(int64_t device, int64_t dy, int64_t w0, int64_t dx, int64_t scratch, int64_t gate,
                  int64_t up, int64_t dgate, int32_t act, int64_t M, int64_t in, int64_t out,
                  int32_t accumulate, int32_t w_dtype, int32_t dtype);
int64_t ln_linear_scratch(int64_t device, int64_t M, int64_t in, int64_t out, int32_t w_dtype,
                          int32_t dtype);

// 1 if ln_linear_fwd and ln_linear_bwd, each of M rows, take less time together when
// ln_dequantize_matrix_fwd has made numbers of w0 for both, and compute the same bits; else 0.
int ln_linear_shares(int64_t device, int64_t M, int64_t in, int64_t out, int32_t w_dtype,
                     int32_t dtype);

// dw = dy^T x, f32, for a weight that is made in the graph. Overwrites dw [out, in].
int ln_linear_weight_bwd(int64_t device, int64_t dy, int64_t x, int64_t dw, int64_t M, int64_t in,
                         int64_t out, int32_t dtype);

// y = x W0^T (+ bias) + xa B^T,  xa = s (drop(x) A^T)            LoRA: Hu et al. 2021, section 4.1
// a [rank, in], b [out, rank], scale s = alpha / rank; in 16 bits both are copies of dtype whose
// rank is rounded up to 8 and filled up with zeros. xa [M, rank rounded up to 8] of dtype, saved
// for backward; what lies past rank is unspecified. drop keeps an element with probability 1 -
// dropout and divides it by that; its mask is Philox(seed; element / 4, stream, step, micro_step),
// drawn again in backward, never stored. scratch: ln_lora_linear_scratch bytes. gate, gated, act as
// ln_linear_fwd. Overwrites y and xa.
int ln_lora_linear_fwd(int64_t device, int64_t x, int64_t w0, int64_t bias, int64_t a, int64_t b,
                       int64_t y, int64_t xa, int64_t scratch, int64_t step, int64_t gate,
                       int64_t gated, int32_t act, int64_t M, int64_t in, int64_t out, int64_t rank,
                       float scale, float dropout, int32_t stream, int32_t w_dtype, int32_t dtype);

// dyb = s (dy B);  dx = dy W0 + mask(dyb A);  da += dyb^T drop(x);  db += dy^T xa.
// dx [M, in] or 0 when nobody wants it: overwrites, or adds if accumulate is 1. da, db f32: adds.
// gate, up, dgate, act as ln_linear_bwd, where dropout is 0.
int ln_lora_linear_bwd(int64_t device, int64_t dy, int64_t x, int64_t xa, int64_t w0, int64_t a,
                       int64_t b, int64_t dx, int64_t da, int64_t db, int64_t scratch, int64_t step,
                       int64_t gate, int64_t up, int64_t dgate, int32_t act, int64_t M, int64_t in,
                       int64_t out, int64_t rank, float scale, float dropout, int32_t stream,
                       int32_t accumulate, int32_t w_dtype, int32_t dtype);
int64_t ln_lora_linear_scratch(int64_t device, int64_t M, int64_t in, int64_t out, int64_t rank,
                               float dropout, int32_t w_dtype, int32_t dtype);

// The two halves of ln_lora_linear_fwd, for layers that read the same x: the first for all of them.
// xa [M, pitch] = s x A^T in its first `columns` columns: a [columns, in] holds the A of a layer,
// or of several one behind the other. Overwrites those columns.
int ln_lora_down_fwd(int64_t device, int64_t x, int64_t a, int64_t xa, int64_t M, int64_t in,
                     int64_t columns, int64_t pitch, float scale, int32_t dtype);

// da += dyb^T x of up to four layers, da_i [rank_i, in] f32, rank_i 0 for none. dyb [M, pitch] has
// a layer's columns behind those of the one before, each rank rounded up to 8.
int ln_lora_down_bwd(int64_t device, int64_t dyb, int64_t x, int64_t da0, int64_t da1, int64_t da2,
                     int64_t da3, int64_t M, int64_t in, int64_t rank0, int64_t rank1,
                     int64_t rank2, int64_t rank3, int32_t dtype);

// y = x W0^T (+ bias) + xa B^T of one of the layers, whose columns of xa begin at xa, `pitch`
// behind the row before. b as ln_lora_linear_fwd; scratch: ln_linear_scratch bytes; gate, gated,
// act as ln_linear_fwd. Overwrites y.
int ln_lora_up_fwd(int64_t device, int64_t x, int64_t w0, int64_t bias, int64_t b, int64_t xa,
                   int64_t y, int64_t scratch, int64_t gate, int64_t gated, int32_t act, int64_t M,
                   int64_t in, int64_t out, int64_t rank, int64_t pitch, int32_t w_dtype,
                   int32_t dtype);

// dyb = s (dy B), the layer's columns of ln_lora_down_bwd's;  dx = dy W0 + dyb A;  db += dy^T xa.
// dx as in ln_lora_linear_bwd. Overwrites the columns of dyb, pitch and scratch as above.
int ln_lora_up_bwd(int64_t device, int64_t dy, int64_t xa, int64_t w0, int64_t a, int64_t b,
                   int64_t dx, int64_t dyb, int64_t db, int64_t scratch, int64_t M, int64_t in,
                   int64_t out, int64_t rank, int64_t pitch, float scale, int32_t accumulate,
                   int32_t w_dtype, int32_t dtype);

// norm[o] = |w0[o] + s b[o] A|: the length of an adapted row, without a gradient.
//                                                       DoRA: Liu et al. 2024, sections 4.1 and 4.3
// w0 [out, in] of w_dtype; a [rank, in], b [out, rank], norm [out] f32. scratch:
// ln_dora_norm_scratch bytes. Overwrites norm.
int ln_dora_norm_fwd(int64_t device, int64_t w0, int64_t a, int64_t b, int64_t norm,
                     int64_t scratch, int64_t in, int64_t out, int64_t rank, float scale,
                     int32_t w_dtype);
int64_t ln_dora_norm_scratch(int64_t device, int64_t in, int64_t out);

// y = z m / norm + bias, by channel. z, y [M, C]; m, norm [C] f32; bias [C] f32 or 0. Overwrites y.
int ln_dora_scale_fwd(int64_t device, int64_t z, int64_t m, int64_t norm, int64_t bias, int64_t y,
                      int64_t M, int64_t C, int32_t dtype);

// dz = dy m / norm;  dm += sum over rows of dy z / norm. Overwrites dz, which may be dy; adds to dm
// [C] f32. scratch: ln_dora_scale_scratch bytes.
int ln_dora_scale_bwd(int64_t device, int64_t dy, int64_t z, int64_t m, int64_t norm, int64_t dz,
                      int64_t dm, int64_t scratch, int64_t M, int64_t C, int32_t dtype);
int64_t ln_dora_scale_scratch(int64_t device, int64_t M, int64_t C);

// d [out, in] = scale (a1 b1) o (a2 b2), what LoHa adds to a weight.     Yeh et al. 2023 (LyCORIS)
// a1, a2 [out, rank], b1, b2 [rank, in] f32. scratch, for both directions: ln_loha_scratch bytes.
// Overwrites d, of dtype.
int ln_loha_fwd(int64_t device, int64_t a1, int64_t b1, int64_t a2, int64_t b2, int64_t d,
                int64_t scratch, int64_t out, int64_t in, int64_t rank, float scale, int32_t dtype);

// From dd [out, in] f32. Adds to da1, db1, da2, db2 f32.
int ln_loha_bwd(int64_t device, int64_t dd, int64_t a1, int64_t b1, int64_t a2, int64_t b2,
                int64_t da1, int64_t db1, int64_t da2, int64_t db2, int64_t scratch, int64_t out,
                int64_t in, int64_t rank, float scale);
int64_t ln_loha_scratch(int64_t device, int64_t out, int64_t in);

// d [out_l out_k, taps, in_m in_n] = scale w1 [out_l, in_m] (x) w2 [out_k, taps, in_n], what LoKr
// adds to a weight (likewise). w2 = w2a [out_k, rank] w2b [rank, taps in_n], or w2a itself where
// w2b is 0. All f32 but d, which is of dtype. scratch, for both directions: ln_lokr_scratch bytes.
// Overwrites d.
int ln_lokr_fwd(int64_t device, int64_t w1, int64_t w2a, int64_t w2b, int64_t d, int64_t scratch,
                int64_t out_l, int64_t out_k, int64_t in_m, int64_t in_n, int64_t taps,
                int64_t rank, float scale, int32_t dtype);

// From dd f32 of d's shape. Adds to dw1, dw2a and dw2b (0 where w2b is) f32.
int ln_lokr_bwd(int64_t device, int64_t dd, int64_t w1, int64_t w2a, int64_t w2b, int64_t dw1,
                int64_t dw2a, int64_t dw2b, int64_t scratch, int64_t out_l, int64_t out_k,
                int64_t in_m, int64_t in_n, int64_t taps, int64_t rank, float scale);
int64_t ln_lokr_scratch(int64_t device, int64_t out_k, int64_t in_n, int64_t taps);

// Cuts the columns of x [M, c0 + c1 + c2] into y0 [M, c0], y1 [M, c1], y2 [M, c2]; c2 and y2 may
// be 0. Overwrites them. The backward is ln_concat_fwd.
int ln_split_fwd(int64_t device, int64_t x, int64_t y0, int64_t y1, int64_t y2, int64_t M,
                 int64_t c0, int64_t c1, int64_t c2, int32_t dtype);

// The reverse of ln_split_fwd. Overwrites x.
int ln_concat_fwd(int64_t device, int64_t y0, int64_t y1, int64_t y2, int64_t x, int64_t M,
                  int64_t c0, int64_t c1, int64_t c2, int32_t dtype);

// y = a + b, elementwise over n. Overwrites y, which may be a or b.
int ln_add_fwd(int64_t device, int64_t a, int64_t b, int64_t y, int64_t n, int32_t dtype);

// y = factor x + shift, elementwise over n. Overwrites y, which may be x.
int ln_affine_fwd(int64_t device, int64_t x, int64_t y, int64_t n, float factor, float shift,
                  int32_t dtype);

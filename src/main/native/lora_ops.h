// The one list of device ops: the seam between Java and native code.
//
// Every op is a C function ln_<op>_<fwd|bwd>(device, ...). Addresses cross as 64-bit integers
// (0 = absent where the comment says "or 0"), dtypes as the codes below. All arrays are row-major,
// the last dimension contiguous. A batch is one packed row of M tokens: the documents stand one
// behind the other and bounds tell them apart, without padding (but see ln_attention_fwd).
//
// A function returns LN_OK or an error code; ln_last_error() holds the sentence. Native code never
// exits and never throws across this header. Every op gives bit-equal results between two runs with
// the same inputs and thread count. "Overwrites" and "adds to" say what happens to an output.
// `dtype` is the dtype of activations and frozen weights of the call: LN_F32 or LN_BF16, on CUDA
// also LN_F16.
// `w_dtype` is that of the frozen matrix: `dtype`, or a block type whose rows are whole blocks.
// Such a matrix is taken apart tile by tile as it is multiplied, never as a whole.
//
// src/main/native/dispatch.cmake reads the prototypes of this file (one to three lines each, ended
// by ");") and writes the table of implementations from them.
#pragma once
#include <stdint.h>

// Storage types. The codes equal org.loranative.io.DType.
enum {
  LN_F32 = 0,
  LN_F16 = 1,
  LN_BF16 = 2,
  LN_I32 = 3,
  LN_U8 = 4,
  LN_Q8_0 = 8,
  LN_Q4_0 = 9,
  LN_Q4_1 = 10,
  LN_Q5_0 = 11,
  LN_Q5_1 = 12,
  LN_Q4_K = 13,
  LN_Q5_K = 14,
  LN_Q6_K = 15,
  LN_NF4 = 16,
  LN_F8_E4M3 = 17,
  LN_F8_E5M2 = 18
};

// NF4 (Dettmers et al. 2023, QLoRA; as bitsandbytes quantizes): a matrix of n numbers, n a multiple
// of 64, number i = code[bits i] scale[i / 64]. Its scales are quantized again: scale[j] =
// scale_code[index j] factor[j / 256] + scale_offset. Offsets in bytes:
//      0 f32 code[16]      64 f32 scale_code[256]    1088 f32 scale_offset   1096 i64 n
//   1104 u8 [n / 2]        the numbers' bits, the first of a pair in the high half
//        u8 [n / 64]       indices, padded to a multiple of 4
//        f32 [n / 16384, rounded up]  factors
enum { LN_NF4_HEADER_BYTES = 1104 };

enum { LN_OK = 0, LN_INVALID = 1, LN_OUT_OF_MEMORY = 2, LN_UNSUPPORTED = 3, LN_FAILED = 4 };

enum { LN_SILU = 0, LN_GELU_TANH = 1, LN_GELU = 2, LN_QUICK_GELU = 3, LN_TANH = 4 };

// What changes from step to step, in device memory (64 bytes, little-endian, written by Java's
// StepState before each run). Nothing of it is ever a launch argument, so that a captured plan
// stays true. Offsets in bytes.
//   0 u64 seed          8 u32 step (1 = first)       12 u32 micro_step
//  16 f32 learning_rate  20 f32 1 - beta1^t          24 f32 1 - beta2^t
//  28 f32 1 / labelled tokens of the whole optimizer batch
//  32 f32 loss_scale: the gradients of a step are so many times their value (1 but in f16)
enum { LN_STEP_BYTES = 64 };

// The sentence of this thread's last error.
const char* ln_last_error();

// ---- device -------------------------------------------------------------------------------------

// Opens the CPU device with `threads` OpenMP threads; *device receives its handle.
int ln_cpu_open(int32_t threads, int64_t* device);
// Opens card `index` through the driver library of that name or path; kernels are loaded apart.
int ln_cuda_open(const char* library, int32_t index, int64_t* device);
// Loads a module (cubin or PTX) whose bytes lie at `image`.
int ln_cuda_load_module(int64_t device, int64_t image);
// Bytes of an open card that can be had now.
int ln_cuda_free_bytes(int64_t device, int64_t* free_bytes);
// What a card is: *capability is major * 10 + minor, *driver as cuDriverGetVersion gives it. The
// card is not opened for it.
int ln_cuda_info(const char* library, int32_t index, char* name, int32_t name_bytes,
                 int64_t* total_bytes, int32_t* capability, int32_t* driver);
// Number of cards; an error says why there is none.
int ln_cuda_count(const char* library, int32_t* count);
int ln_device_close(int64_t device);
// "v2", "v3" (AVX2) or "v4" (AVX-512): the instruction set the CPU ops run on.
const char* ln_cpu_isa();
// 1 if the CPU multiplies bf16 in hardware (AVX-512-BF16 or AMX).
int ln_cpu_has_bf16();
// Physical cores this process may run on.
int ln_cpu_physical_cores();
// 64-byte aligned memory, zeroed. LN_OUT_OF_MEMORY if there is none.
int ln_memory_allocate(int64_t device, int64_t bytes, int64_t* address);
int ln_memory_free(int64_t device, int64_t address, int64_t bytes);
int ln_memory_fill(int64_t device, int64_t address, int32_t byte_value, int64_t bytes);
// Copies between the host and the device (host addresses are plain pointers). On return the host
// memory may be used again; a download has waited for all that was asked of the device before.
int ln_memory_upload(int64_t device, int64_t to, int64_t from_host, int64_t bytes);
int ln_memory_download(int64_t device, int64_t to_host, int64_t from, int64_t bytes);
// Copies within the device, in order with the ops.
int ln_memory_copy(int64_t device, int64_t to, int64_t from, int64_t bytes);
// Copies host memory of ln_host_allocate beside the ops that run; ops after ln_memory_join see it.
// Until they have run, neither side may be touched.
int ln_memory_ahead(int64_t device, int64_t to, int64_t from_host, int64_t bytes);
int ln_memory_join(int64_t device);
// Host memory that the device copies from directly (pinned).
int ln_host_allocate(int64_t device, int64_t bytes, int64_t* address);
int ln_host_free(int64_t device, int64_t address, int64_t bytes);
// Waits until all that was asked of the device has been done; says what went wrong in it.
int ln_device_wait(int64_t device);
// While `on`, each kernel is waited for, so that a fault names the kernel. Nothing on the CPU.
int ln_device_watch(int64_t device, int32_t on);
// Between begin and end ops are written down instead of run; ln_capture_launch runs them all as one
// graph, again and again. LN_UNSUPPORTED on the CPU.
int ln_capture_begin(int64_t device);
int ln_capture_end(int64_t device, int64_t* graph);
int ln_capture_launch(int64_t device, int64_t graph);
int ln_capture_free(int64_t device, int64_t graph);
// Maps a whole file read-only into host memory.
int ln_file_map(const char* path, int64_t* address, int64_t* bytes);
// LN_FAILED if part of it could not be read since, as when the file shrank: zeros were read
// instead.
int ln_file_check(int64_t address);
int ln_file_unmap(int64_t address, int64_t bytes);
// Gives back the memory of whole pages within a mapped range; they are read again when touched.
int ln_file_release(int64_t address, int64_t bytes);
// Quantizes f32 to NF4 as bitsandbytes does, on the host: absmax of 64, nearest values; the scales
// less their mean likewise in blocks of 256. A long matrix is done piece by piece: first the codes
// [n / 2] and scales [n / 64] of n numbers of it, where they belong in dst and among its scales;
// then what all of its scales give. Together they overwrite dst, of ln_nf4_bytes(n) bytes.
int ln_nf4_codes(int64_t src, int64_t codes, int64_t scales, int64_t n, int32_t threads);
int ln_nf4_scales(int64_t scales, int64_t dst, int64_t n);
int64_t ln_nf4_bytes(int64_t n);
// bitsandbytes' dynamic 8-bit values in rising order: 256 of both signs, and 256 from 0 on.
void ln_dynamic_codes(float* both_signs, float* positive);
// Bytes of scratch that oneDNN's primitives have asked of this device so far.
int64_t ln_gemm_scratch_bytes(int64_t device);

// ---- ops ----------------------------------------------------------------------------------------

// dst [rows, columns] = elements of src, whatever its storage type; row r begins at element first +
// r pitch. dst_dtype F32, BF16 or F16. For block types first, columns and pitch are multiples of
// the block (32; 64 for NF4; 256 for the K types). Formats: ggml's block_q8_0 ... block_q6_K, and
// LN_NF4. Overwrites dst. Source in host memory; a card takes one row only.
int ln_dequantize_fwd(int64_t device, int64_t src, int32_t src_dtype, int64_t dst,
                      int32_t dst_dtype, int64_t first, int64_t rows, int64_t columns,
                      int64_t pitch);

// y[i] = x[i] in another dtype, rounded to nearest; n elements. One of the two is LN_F32.
// Overwrites y.
int ln_cast_fwd(int64_t device, int64_t x, int32_t x_dtype, int64_t y, int32_t y_dtype, int64_t n);

// y[m, c] = w[ids[m], c] * scale. ids [M] i32, w [V, C], y [M, C]. Overwrites y.
// LN_INVALID if an id is outside [0, V).
int ln_embedding_fwd(int64_t device, int64_t ids, int64_t w, int64_t y, int64_t M, int64_t C,
                     int64_t V, float scale, int32_t w_dtype, int32_t dtype);

// dw[v] = scale sum dy[m] over the m with ids[m] = v, in their order: for few rows of w, which is
// an activation that rows are picked from. Overwrites dw [V, C].
int ln_embedding_bwd(int64_t device, int64_t dy, int64_t ids, int64_t dw, int64_t M, int64_t C,
                     int64_t V, float scale, int32_t dtype);

// y = x W0^T (+ bias). x [M, in], w0 [out, in], bias [out] f32 or 0, y [M, out] of dtype y_dtype.
// scratch: ln_linear_scratch bytes, for both directions. Overwrites y.
int ln_linear_fwd(int64_t device, int64_t x, int64_t w0, int64_t bias, int64_t y, int64_t scratch,
                  int64_t M, int64_t in, int64_t out, int32_t w_dtype, int32_t dtype,
                  int32_t y_dtype);

// dx = dy W0. dy [M, out], dx [M, in]. Overwrites dx, or adds to it if accumulate is 1.
int ln_linear_bwd(int64_t device, int64_t dy, int64_t w0, int64_t dx, int64_t scratch, int64_t M,
                  int64_t in, int64_t out, int32_t accumulate, int32_t w_dtype, int32_t dtype);
int64_t ln_linear_scratch(int64_t device, int64_t M, int64_t in, int64_t out, int32_t w_dtype,
                          int32_t dtype);

// dw = dy^T x, f32, for a weight that is made in the graph. Overwrites dw [out, in].
int ln_linear_weight_bwd(int64_t device, int64_t dy, int64_t x, int64_t dw, int64_t M, int64_t in,
                         int64_t out, int32_t dtype);

// y = x W0^T (+ bias) + xa B^T,  xa = s (drop(x) A^T)            LoRA: Hu et al. 2021, section 4.1
// a [rank, in] f32, b [out, rank] f32, scale s = alpha / rank. xa [M, rank rounded up to 8] of
// dtype, saved for backward; what lies past rank is unspecified. drop keeps an element with
// probability 1 - dropout and divides it by that; its mask is Philox(seed; element / 4, stream,
// step, micro_step), drawn again in backward, never stored. scratch: ln_lora_linear_scratch bytes.
// Overwrites y and xa.
int ln_lora_linear_fwd(int64_t device, int64_t x, int64_t w0, int64_t bias, int64_t a, int64_t b,
                       int64_t y, int64_t xa, int64_t scratch, int64_t step, int64_t M, int64_t in,
                       int64_t out, int64_t rank, float scale, float dropout, int32_t stream,
                       int32_t w_dtype, int32_t dtype);

// dyb = s (dy B);  dx = dy W0 + mask(dyb A);  da += dyb^T drop(x);  db += dy^T xa.
// dx [M, in] or 0 when nobody wants it: overwrites, or adds if accumulate is 1. da, db f32: adds.
int ln_lora_linear_bwd(int64_t device, int64_t dy, int64_t x, int64_t xa, int64_t w0, int64_t a,
                       int64_t b, int64_t dx, int64_t da, int64_t db, int64_t scratch, int64_t step,
                       int64_t M, int64_t in, int64_t out, int64_t rank, float scale, float dropout,
                       int32_t stream, int32_t accumulate, int32_t w_dtype, int32_t dtype);
int64_t ln_lora_linear_scratch(int64_t device, int64_t M, int64_t in, int64_t out, int64_t rank,
                               float dropout, int32_t w_dtype, int32_t dtype);

// sum = x + residual;  y[m, c] = sum[m, c] rstd[m] w[c];  rstd[m] = 1 / sqrt(mean_c sum^2 + eps)
//                                                                     Zhang & Sennrich 2019, eq. 4
// x, residual (or 0), y, sum (0 if residual is 0) [M, C]; w [C] f32; rstd [M] f32, saved with sum.
// Overwrites y, sum, rstd. y may be x.
int ln_rms_norm_fwd(int64_t device, int64_t x, int64_t residual, int64_t w, int64_t y, int64_t sum,
                    int64_t rstd, int64_t M, int64_t C, float eps, int32_t dtype);

// dx = rstd (dy w - sum rstd^2 mean_c(dy w sum)) + dsum. dsum [M, C] or 0: the gradient that
// reached `sum` itself. Overwrites dx, which may be dsum or dy.
int ln_rms_norm_bwd(int64_t device, int64_t dy, int64_t dsum, int64_t sum, int64_t w, int64_t rstd,
                    int64_t dx, int64_t M, int64_t C, int32_t dtype);

// table[m, 0..half) = scale cos(p[m] f[j]), table[m, half..2 half) = scale sin(p[m] f[j]).
// positions [M] i32, inv_freq [half] f32, table [M, 2 half] f32. Overwrites table.
int ln_rope_table_fwd(int64_t device, int64_t positions, int64_t inv_freq, int64_t table, int64_t M,
                      int64_t half, float scale);

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
// k, v [T, kv_heads, D]; k_cache, v_cache [capacity, kv_heads, D]. Overwrites o.
// LN_INVALID if start + T is beyond capacity.
int ln_cached_attention_fwd(int64_t device, int64_t q, int64_t k, int64_t v, int64_t k_cache,
                            int64_t v_cache, int64_t start, int64_t o, int64_t scratch, int64_t T,
                            int64_t capacity, int64_t heads, int64_t kv_heads, int64_t D,
                            float scale, float softcap, int64_t window, int32_t dtype);

int64_t ln_cached_attention_scratch(int64_t device, int64_t T, int64_t capacity, int64_t heads,
                                    int64_t D);

// y [rows, columns] = act(gate) up, elementwise. gate and up have pitch elements from row to row:
// they may be columns of one matrix. act: LN_SILU (SwiGLU), LN_GELU or LN_GELU_TANH (GeGLU),
// Shazeer 2020. Overwrites y.
int ln_glu_fwd(int64_t device, int64_t gate, int64_t up, int64_t y, int64_t rows, int64_t columns,
               int64_t pitch, int32_t act, int32_t dtype);

// dgate = dy up act'(gate), dup = dy act(gate), with gate's and up's pitch. Overwrites both; dup
// may be dy where the pitch is columns.
int ln_glu_bwd(int64_t device, int64_t dy, int64_t gate, int64_t up, int64_t dgate, int64_t dup,
               int64_t rows, int64_t columns, int64_t pitch, int32_t act, int32_t dtype);

// y = act(x), elementwise over n. Overwrites y.
int ln_activation_fwd(int64_t device, int64_t x, int64_t y, int64_t n, int32_t act, int32_t dtype);

// dx = dy act'(x). Overwrites dx, which may be dy.
int ln_activation_bwd(int64_t device, int64_t dy, int64_t x, int64_t dx, int64_t n, int32_t act,
                      int32_t dtype);

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
// x [B, H, W, I]; a [rank, kernel, kernel, I] f32; b [O, rank] f32; y [B, OH, OW, O]; xa [B, OH,
// OW, rank (in 16 bits rounded up to 8)], saved for backward. Stride, padding as ln_conv2d_fwd,
// drop and scratch as ln_lora_linear_fwd. Adds to y, overwrites xa.
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

// y[b, oy, ox, c] = x[b, oy / 2, ox / 2, c]: each pixel four times (nearest). x [B, H, W, C], y [B,
// OH, OW, C] with OH one of 2H and 2H - 1, OW likewise. Overwrites y.
int ln_upsample_fwd(int64_t device, int64_t x, int64_t y, int64_t B, int64_t H, int64_t W,
                    int64_t OH, int64_t OW, int64_t C, int32_t dtype);

// dx = the sum of the four. Overwrites dx.
int ln_upsample_bwd(int64_t device, int64_t dy, int64_t dx, int64_t B, int64_t H, int64_t W,
                    int64_t OH, int64_t OW, int64_t C, int32_t dtype);

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

// Cuts the columns of x [M, c0 + c1 + c2] into y0 [M, c0], y1 [M, c1], y2 [M, c2]; c2 and y2 may
// be 0. Overwrites them. The backward is ln_concat_fwd.
int ln_split_fwd(int64_t device, int64_t x, int64_t y0, int64_t y1, int64_t y2, int64_t M,
                 int64_t c0, int64_t c1, int64_t c2, int32_t dtype);

// The reverse of ln_split_fwd. Overwrites x.
int ln_concat_fwd(int64_t device, int64_t y0, int64_t y1, int64_t y2, int64_t x, int64_t M,
                  int64_t c0, int64_t c1, int64_t c2, int32_t dtype);

// loss[0] = sum over rows with label >= 0 of -log softmax(cap(h w^T))[label], times
// step.inv_labelled; and, in the same pass, dh = its gradient times step.loss_scale (0 in rows
// without a label).
// losses[m] = a row's term of the sum, 0 without a label; accuracy[0] = step.inv_labelled times the
// number of rows whose label has the largest logit.
// h [M, C], w [V, C], labels [M] i32 (below 0 = no label), loss, losses [M], accuracy f32, dh [M,
// C] or 0 (evaluation). Logits exist for `chunk` labelled rows at a time, in scratch. Overwrites
// loss, losses, accuracy and dh. scratch: ln_linear_cross_entropy_scratch bytes.
int ln_linear_cross_entropy_fwd(int64_t device, int64_t h, int64_t w, int64_t labels, int64_t step,
                                int64_t loss, int64_t losses, int64_t accuracy, int64_t dh,
                                int64_t scratch, int64_t M, int64_t C, int64_t V, float softcap,
                                int64_t chunk, int32_t w_dtype, int32_t dtype);
int64_t ln_linear_cross_entropy_scratch(int64_t device, int64_t M, int64_t C, int64_t V,
                                        int64_t chunk, int32_t dtype);

// y = a + b, elementwise over n. Overwrites y, which may be a or b.
int ln_add_fwd(int64_t device, int64_t a, int64_t b, int64_t y, int64_t n, int32_t dtype);

// y = factor x + shift, elementwise over n. Overwrites y, which may be x.
int ln_affine_fwd(int64_t device, int64_t x, int64_t y, int64_t n, float factor, float shift,
                  int32_t dtype);

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
// p, grad f32; matrices i32 [., 6]: where in p each begins, rows, columns, where its rows' means
// begin in row and its columns' in column (f32), axes. A vector is a matrix of one row and one
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

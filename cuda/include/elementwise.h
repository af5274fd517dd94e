// Elementwise kernels: one thread for an element, grids of 256 threads: signatures.
#pragma once
#include "types.h"

LN_SIGNATURE add_f32(const float* a, const float* b, float* y, i64 n);
LN_SIGNATURE add_bf16(const gpu_bf16* a, const gpu_bf16* b, gpu_bf16* y, i64 n);
LN_SIGNATURE glu_fwd_f32(const float* gate, const float* up, float* y, i64 n, i32 act);
LN_SIGNATURE glu_fwd_bf16(const gpu_bf16* gate, const gpu_bf16* up, gpu_bf16* y, i64 n, i32 act);
LN_SIGNATURE glu_bwd_f32(const float* dy, const float* gate, const float* up, float* dgate,
                         float* dup, i64 n, i32 act);
LN_SIGNATURE glu_bwd_bf16(const gpu_bf16* dy, const gpu_bf16* gate, const gpu_bf16* up,
                          gpu_bf16* dgate, gpu_bf16* dup, i64 n, i32 act);
LN_SIGNATURE embedding_f32(const i32* ids, const float* w, float* y, i64 n, i64 C, float scale);
LN_SIGNATURE embedding_bf16(const i32* ids, const gpu_bf16* w, gpu_bf16* y, i64 n, i64 C,
                            float scale);
LN_SIGNATURE dropout_f32(const float* x, float* y, i64 n, float p, i32 stream, const gpu_step* step,
                         i32 add);
LN_SIGNATURE dropout_bf16(const gpu_bf16* x, gpu_bf16* y, i64 n, float p, i32 stream,
                          const gpu_step* step, i32 add);
LN_SIGNATURE columns_f32(float* whole, float* part, i64 M, i64 width, i64 from, i64 count, i32 cut);
LN_SIGNATURE columns_bf16(gpu_bf16* whole, gpu_bf16* part, i64 M, i64 width, i64 from, i64 count,
                          i32 cut);
LN_SIGNATURE to_bf16(const float* x, gpu_bf16* y, i64 n);

// Row kernels: one warp for a row, blocks of four warps: signatures.
#pragma once
#include "types.h"

LN_SIGNATURE rms_norm_fwd_f32(const float* x, const float* residual, const float* w, float* y,
                              float* sum, float* rstd, i64 M, i64 C, float eps);
LN_SIGNATURE rms_norm_fwd_bf16(const gpu_bf16* x, const gpu_bf16* residual, const float* w,
                               gpu_bf16* y, gpu_bf16* sum, float* rstd, i64 M, i64 C, float eps);
LN_SIGNATURE rms_norm_bwd_f32(const float* dy, const float* dsum, const float* sum, const float* w,
                              const float* rstd, float* dx, i64 M, i64 C);
LN_SIGNATURE rms_norm_bwd_bf16(const gpu_bf16* dy, const gpu_bf16* dsum, const gpu_bf16* sum,
                               const float* w, const float* rstd, gpu_bf16* dx, i64 M, i64 C);
LN_SIGNATURE rope_f32(const float* x, const float* table, float* y, i64 M, i64 heads, i64 D,
                      i64 half, float sign);
LN_SIGNATURE rope_bf16(const gpu_bf16* x, const float* table, gpu_bf16* y, i64 M, i64 heads, i64 D,
                       i64 half, float sign);
LN_SIGNATURE rope_table(const i32* positions, const float* inv_freq, float* table, i64 M, i64 half,
                        float scale);

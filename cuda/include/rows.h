// Row kernels: one warp for a row, blocks of four warps: signatures.
#pragma once
#include "types.h"

LN_SIGNATURES(rms_norm_fwd, (const T* x, const T* residual, const float* w, T* y, T* sum,
                             float* rstd, i64 M, i64 C, float eps))
LN_SIGNATURES(rms_norm_bwd, (const T* dy, const T* dsum, const T* sum, const float* w,
                             const float* rstd, T* dx, i64 M, i64 C))
LN_SIGNATURES(rope,
              (const T* x, const float* table, T* y, i64 M, i64 heads, i64 D, i64 half, float sign))
LN_SIGNATURE rope_table(const i32* positions, const float* inv_freq, float* table, i64 M, i64 half,
                        float scale);

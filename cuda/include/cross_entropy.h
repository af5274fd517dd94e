// Head and loss: rows of logits: signatures.
#pragma once
#include "types.h"

LN_SIGNATURE label_rows(const i32* labels, i32* rows, i32* count, i64 M);
LN_SIGNATURE gather_rows_f32(const float* h, const i32* rows, const i32* count, float* y,
                             i64 offset, i64 chunk, i64 C);
LN_SIGNATURE gather_rows_bf16(const gpu_bf16* h, const i32* rows, const i32* count, gpu_bf16* y,
                              i64 offset, i64 chunk, i64 C);
LN_SIGNATURE scatter_rows_f32(const float* y, const i32* rows, const i32* count, float* h,
                              i64 offset, i64 chunk, i64 C);
LN_SIGNATURE scatter_rows_bf16(const gpu_bf16* y, const i32* rows, const i32* count, gpu_bf16* h,
                               i64 offset, i64 chunk, i64 C);
LN_SIGNATURE row_loss_f32(float* logits, float* gradient, const i32* labels, const i32* rows,
                          const i32* count, const gpu_step* step, float* losses, i64 offset, i64 V,
                          float softcap, i32 backward);
LN_SIGNATURE row_loss_bf16(float* logits, gpu_bf16* gradient, const i32* labels, const i32* rows,
                           const i32* count, const gpu_step* step, float* losses, i64 offset, i64 V,
                           float softcap, i32 backward);
LN_SIGNATURE sum_losses(const float* losses, const i32* count, const gpu_step* step, float* loss);

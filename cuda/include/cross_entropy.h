// Head and loss: rows of logits: signatures.
#pragma once
#include "head_gemm.h"

LN_SIGNATURE label_rows(const i32* labels, i32* rows, i32* count, i64 M);
LN_SIGNATURES(gather_rows,
              (const T* h, const i32* rows, const i32* count, T* y, i64 offset, i64 chunk, i64 C))
LN_SIGNATURES(scatter_rows,
              (const T* y, const i32* rows, const i32* count, T* h, i64 offset, i64 chunk, i64 C))
LN_SIGNATURES(row_loss, (float* logits, const i32* labels, const i32* rows, const i32* count,
                         const gpu_step* step, float* losses, float* hits, i64 offset, i64 V,
                         float softcap, i32 backward))
LN_SIGNATURES_16_BIT(head_loss, (T * numbers, const HeadGroup* groups, const float* logit_of_label,
                                 const i32* labels, const i32* rows, const i32* count,
                                 const gpu_step* step, float* losses, float* hits, i64 offset,
                                 i64 V, i64 pitch, i32 group_columns, float softcap))
LN_SIGNATURE sum_losses(const float* losses, const float* hits, const gpu_step* step, float* loss,
                        float* accuracy, i64 M);

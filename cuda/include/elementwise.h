// Elementwise kernels: a thread for eight numbers, blocks of 256: signatures.
#pragma once
#include "types.h"

LN_SIGNATURES(add, (const T* a, const T* b, T* y, i64 n))
LN_SIGNATURES(affine, (const T* x, T* y, i64 n, float factor, float shift))
LN_SIGNATURES(glu_fwd,
              (const T* gate, const T* up, T* y, i64 rows, i64 columns, i64 pitch, i32 act))
LN_SIGNATURES(glu_bwd, (const T* dy, const T* gate, const T* up, T* dgate, T* dup, i64 rows,
                        i64 columns, i64 pitch, i32 act))
LN_SIGNATURES(activation_fwd, (const T* x, T* y, i64 n, i32 act))
LN_SIGNATURES(activation_bwd, (const T* dy, const T* x, T* dx, i64 n, i32 act))
LN_SIGNATURES(embedding_bwd, (const T* dy, const i32* ids, T* dw, i64 M, i64 C, i64 n, float scale))
LN_SIGNATURES(embedding, (const i32* ids, const T* w, T* y, i64 M, i64 C, float scale))
LN_SIGNATURES(block_embedding,
              (const i32* ids, const void* w, T* y, i64 M, i64 C, i64 V, i32 format, float scale))
LN_SIGNATURES(dropout,
              (const T* x, T* y, i64 n, float p, i32 stream, const gpu_step* step, i32 add))
LN_SIGNATURES(columns, (T * whole, T* part, i64 M, i64 width, i64 from, i64 count, i32 cut))
LN_SIGNATURES(cast_from_f32, (const float* x, T* y, i64 n))
LN_SIGNATURES_16_BIT(cast_to_f32, (const T* x, float* y, i64 n))
// A matrix of many in one buffer, and its copy in another.
struct RoundedPart {
  static constexpr int kBlocks = 16;  // that share a matrix
  i32 from, to;                       // in kFrom and kTo numbers
  i32 rows, columns, padded_rows, padded_columns;
  static constexpr i64 kFrom = 16, kTo = 32;
};
LN_SIGNATURES_16_BIT(round_parts, (const float* x, const RoundedPart* parts, T* y))
LN_SIGNATURES_16_BIT(round_padded, (const float* x, T* y, i64 rows, i64 columns, i64 padded_rows,
                                    i64 padded_columns))

// Attention: one warp for a query (or key) and head, blocks of four warps: signatures.
#pragma once
#include "types.h"

struct AttentionArguments {
  i64 M, heads, kv_heads, D, window;
  float scale, softcap;
};

LN_SIGNATURE attention_fwd_f32(const float* q, const float* k, const float* v, const i32* doc_start,
                               const i32* start, float* o, float* lse, AttentionArguments a);
LN_SIGNATURE attention_fwd_bf16(const gpu_bf16* q, const gpu_bf16* k, const gpu_bf16* v,
                                const i32* doc_start, const i32* start, gpu_bf16* o, float* lse,
                                AttentionArguments a);
LN_SIGNATURE attention_dq_f32(const float* dout, const float* q, const float* k, const float* v,
                              const float* o, const float* lse, const i32* doc_start, float* dq,
                              AttentionArguments a);
LN_SIGNATURE attention_dq_bf16(const gpu_bf16* dout, const gpu_bf16* q, const gpu_bf16* k,
                               const gpu_bf16* v, const gpu_bf16* o, const float* lse,
                               const i32* doc_start, gpu_bf16* dq, AttentionArguments a);
LN_SIGNATURE attention_dkv_f32(const float* dout, const float* q, const float* k, const float* v,
                               const float* o, const float* lse, const i32* doc_start, float* dk,
                               float* dv, AttentionArguments a);
LN_SIGNATURE attention_dkv_bf16(const gpu_bf16* dout, const gpu_bf16* q, const gpu_bf16* k,
                                const gpu_bf16* v, const gpu_bf16* o, const float* lse,
                                const i32* doc_start, gpu_bf16* dk, gpu_bf16* dv,
                                AttentionArguments a);
LN_SIGNATURE cache_append_f32(const float* x, float* cache, const i32* start, i64 n, i64 row);
LN_SIGNATURE cache_append_bf16(const gpu_bf16* x, gpu_bf16* cache, const i32* start, i64 n,
                               i64 row);

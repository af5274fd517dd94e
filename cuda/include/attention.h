// Attention: one warp for a query (or key) and head, blocks of four warps: signatures.
#pragma once
#include "types.h"

// q_group, k_group: see ln_attention_fwd; keys is the number of rows of k and v.
struct AttentionArguments {
  i64 M, keys, heads, kv_heads, D, window, q_group, k_group;
  float scale, softcap;
};

// For heads of at most `head` channels.
#define LN_ATTENTION(head)                                                                        \
  LN_SIGNATURES(attention_fwd_##head, (const T* q, const T* k, const T* v, const i32* bounds,     \
                                       const i32* start, T* o, float* lse, AttentionArguments a)) \
  LN_SIGNATURES(attention_dq_##head,                                                              \
                (const T* dout, const T* q, const T* k, const T* v, const T* o, const float* lse, \
                 const i32* bounds, T* dq, AttentionArguments a))                                 \
  LN_SIGNATURES(attention_dkv_##head,                                                             \
                (const T* dout, const T* q, const T* k, const T* v, const T* o, const float* lse, \
                 const i32* bounds, T* dk, T* dv, AttentionArguments a))
LN_ATTENTION(256)
LN_ATTENTION(512)
LN_SIGNATURES(cache_append, (const T* x, T* cache, const i32* start, i64 n, i64 row))

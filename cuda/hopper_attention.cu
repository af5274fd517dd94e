// Attention for Hopper (H100, H200), on warpgroups' tensor-core instructions. Shah et al. 2024
// (FlashAttention-3)
//
//   s = cap(scale q k^T),  p = softmax(s),  o = p v,  lse = log sum exp s
//   dv = p^T do,  ds = p (do v^T - delta) cap'(s) scale,  dq = ds k,  dk = ds^T q
//
// As tiled_attention.cu, with a warpgroup's 64 rows for a warp's 16: fwd and dq own queries of a
// head and walk over the keys that any of them sees, dkv owns keys of a key-value head and walks
// over the queries of all its heads. The tensor cores read tiles from swizzled shared memory by
// themselves; p and ds go from the registers of one product into those of the next. Products are
// begun ahead, so that the exponentials of one tile are worked out while the tensor cores
// multiply: in fwd and dq p v and ds k of the tile before, in dkv do v^T, p^T do and ds^T q of the
// same. 7 products in backward for FlashAttention's 5, and no atomics: bit-equal always.
//
// Tile: 128 rows by 128, in fwd by 64 for heads of at most 64 channels (two blocks on a
// multiprocessor, each with the exponentials while the other multiplies), in backward by 64. One
// thread begins copies of whole tiles by tensor maps, two stages ahead (three of keys in dq), which
// also fill in the zeros beyond the last row and a head's last channel. Shared memory: 50 to 162 KB
// forward, 67 to 147 KB backward. FLOPs: 4 D a visible pair forward, 14 D backward. Bound by the
// tensor cores; not timed yet.
#include "hopper_attention.cuh"

#ifdef LN_WARPGROUPS
#define LN_HOPPER_ATTENTION_INSTANCES(head)                                                  \
  LN_INSTANCES_16_BIT(                                                                       \
      (256, WarpgroupAttentionTile##head::kForwardBlocks), hopper_attention_fwd_##head,      \
      (const LN_CONSTANT MappedAttentionArguments m, const i32* bounds, T* o, float* lse),   \
      WarpgroupAttention<WarpgroupAttentionTile##head, T>::forward(m, bounds, o, lse))       \
  LN_INSTANCES_16_BIT((256, 1), hopper_attention_dq_##head,                                  \
                      (const LN_CONSTANT MappedAttentionArguments m, const float* lse,       \
                       const float* delta, const i32* bounds, T* dq),                        \
                      WarpgroupAttention<WarpgroupAttentionTile##head, T>::backward_queries( \
                          m, lse, delta, bounds, dq))                                        \
  LN_INSTANCES_16_BIT((256, 1), hopper_attention_dkv_##head,                                 \
                      (const LN_CONSTANT MappedAttentionArguments m, const float* lse,       \
                       const float* delta, const i32* bounds, T* dk, T* dv),                 \
                      WarpgroupAttention<WarpgroupAttentionTile##head, T>::backward_keys(    \
                          m, lse, delta, bounds, dk, dv))
LN_HOPPER_ATTENTION_INSTANCES(64)
LN_HOPPER_ATTENTION_INSTANCES(96)
LN_HOPPER_ATTENTION_INSTANCES(128)
LN_HOPPER_ATTENTION_INSTANCES(256)
#endif

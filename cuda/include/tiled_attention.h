// Attention on the tensor cores: tiles and signatures.
#pragma once
#include "attention.h"

// Heads of at most HEAD channels. A warp owns 16 rows, in forward kStrips times 16, and walks over
// the other side kForward or kBackward rows at a time. Forward's sum of values has VALUES channels:
// those of a wider head are gridDim.z blocks, each with all of the scores.
template <int HEAD, int STRIPS, int FORWARD, int BACKWARD, int VALUES = HEAD>
struct AttentionTile {
  static constexpr int kHead = HEAD, kValues = VALUES, kThreads = 128;
  static constexpr int kStrips = STRIPS, kForwardRows = 64 * STRIPS, kBackwardRows = 64;
  static constexpr int kForward = FORWARD, kBackward = BACKWARD;
  static constexpr int kValueParts = HEAD / VALUES;      // gridDim.z of fwd
  static constexpr int kKeyWalks = HEAD <= 128 ? 1 : 2;  // gridDim.z of dkv: dk and dv, or dv, dk
  // Tiles; forward with what each query sees: first, end; dkv with lse and delta too.
  static constexpr int kForwardBytes =
      ((kForwardRows + FORWARD) * HEAD + FORWARD * VALUES) * 2 + kForwardRows * 8;
  static constexpr int kQueryBytes = 2 * (kBackwardRows + BACKWARD) * HEAD * 2;
  static constexpr int kKeyBytes = kQueryBytes + BACKWARD * 16;
};
typedef AttentionTile<64, 2, 64, 32> AttentionTile64;
typedef AttentionTile<96, 2, 32, 32> AttentionTile96;
typedef AttentionTile<128, 1, 64, 32> AttentionTile128;
typedef AttentionTile<160, 1, 32, 16> AttentionTile160;
typedef AttentionTile<256, 1, 32, 16> AttentionTile256;
typedef AttentionTile<512, 1, 16, 0, 256> AttentionTile512;  // forward alone

// delta [heads, M] = rowsum(dout o), what every gradient of a score subtracts.
LN_SIGNATURES_16_BIT(attention_delta,
                     (const T* dout, const T* o, float* delta, AttentionArguments a))

#define LN_TILED_ATTENTION_FORWARD(head)                                                         \
  LN_SIGNATURES_16_BIT(tiled_attention_fwd_##head,                                               \
                       (const T* q, const T* k, const T* v, const i32* bounds, T* o, float* lse, \
                        AttentionArguments a))
#define LN_TILED_ATTENTION(head)                                                                \
  LN_TILED_ATTENTION_FORWARD(head)                                                              \
  LN_SIGNATURES_16_BIT(tiled_attention_dq_##head,                                               \
                       (const T* dout, const T* q, const T* k, const T* v, const float* lse,    \
                        const float* delta, const i32* bounds, T* dq, AttentionArguments a))    \
  LN_SIGNATURES_16_BIT(                                                                         \
      tiled_attention_dkv_##head,                                                               \
      (const T* dout, const T* q, const T* k, const T* v, const float* lse, const float* delta, \
       const i32* bounds, T* dk, T* dv, AttentionArguments a))
LN_TILED_ATTENTION(64)
LN_TILED_ATTENTION(96)
LN_TILED_ATTENTION(128)
LN_TILED_ATTENTION(160)
LN_TILED_ATTENTION(256)
LN_TILED_ATTENTION_FORWARD(512)

// Attention on Hopper's warpgroups: tiles and signatures.
#pragma once
#include "attention.h"

// Heads of at most HEAD channels, in panels of 64. A block of two warpgroups owns 128 rows and
// walks over the other side FORWARD or BACKWARD rows at a time; a multiprocessor holds
// FORWARD_BLOCKS of fwd.
template <int HEAD, int FORWARD, int FORWARD_BLOCKS, int BACKWARD>
struct WarpgroupAttentionTile {
  static constexpr int kHead = HEAD, kPanels = (HEAD + 63) / 64;
  static constexpr int kRows = 128, kThreads = 256;
  static constexpr int kForward = FORWARD, kForwardBlocks = FORWARD_BLOCKS, kBackward = BACKWARD;
  static constexpr int kKeyWalks = HEAD <= 128 ? 1 : 2;  // gridDim.z of dkv: dk and dv, or dv, dk
  // Stages of keys and values; in dq a tile of keys is read once more, a step later.
  static constexpr int kStages = 2, kKeyStages = 3;

  static constexpr int bytes(int rows) { return rows * kPanels * 128; }
  // Shared memory: to begin at a multiple of 1024, tiles, 8 or 16 bytes a query, and barriers.
  static constexpr int kBegin = 1024, kBarriers = 8 * (kKeyStages + kStages);
  static constexpr int kForwardBytes =
      kBegin + bytes(kRows) + 2 * kStages * bytes(FORWARD) + kRows * 8 + kBarriers;
  static constexpr int kQueryBytes =
      kBegin + 2 * bytes(kRows) + (kKeyStages + kStages) * bytes(BACKWARD) + kRows * 8 + kBarriers;
  static constexpr int kKeyBytes =
      kBegin + 2 * bytes(kRows) + kStages * (2 * bytes(BACKWARD) + BACKWARD * 16) + kBarriers;
};
typedef WarpgroupAttentionTile<64, 64, 2, 64> WarpgroupAttentionTile64;
typedef WarpgroupAttentionTile<96, 128, 1, 64> WarpgroupAttentionTile96;
typedef WarpgroupAttentionTile<128, 128, 1, 64> WarpgroupAttentionTile128;
typedef WarpgroupAttentionTile<256, 64, 1, 32> WarpgroupAttentionTile256;

// The operands by tensor maps of [rows, heads, D]: boxes of 64 channels, and a tile's rows.
struct MappedAttentionArguments {
  AttentionArguments a;
  TensorMap q, k, v, dout;
};

#define LN_HOPPER_ATTENTION(head)                                                                  \
  LN_SIGNATURES_16_BIT(hopper_attention_fwd_##head, (const LN_CONSTANT MappedAttentionArguments m, \
                                                     const i32* bounds, T* o, float* lse))         \
  LN_SIGNATURES_16_BIT(hopper_attention_dq_##head,                                                 \
                       (const LN_CONSTANT MappedAttentionArguments m, const float* lse,            \
                        const float* delta, const i32* bounds, T* dq))                             \
  LN_SIGNATURES_16_BIT(hopper_attention_dkv_##head,                                                \
                       (const LN_CONSTANT MappedAttentionArguments m, const float* lse,            \
                        const float* delta, const i32* bounds, T* dk, T* dv))
LN_HOPPER_ATTENTION(64)
LN_HOPPER_ATTENTION(96)
LN_HOPPER_ATTENTION(128)
LN_HOPPER_ATTENTION(256)

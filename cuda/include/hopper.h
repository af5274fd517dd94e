// Matrix products and convolutions for Hopper's warpgroups: tiles and signatures.
#pragma once
#include "conv.h"
#include "tensor_gemm.h"

// BM x BN of C for a block: 64 rows for each warpgroup of 4 warps. K 64 deep, one row of swizzled
// shared memory; STAGES tiles of A and B in flight, and 1 KB to begin at a multiple of 1024.
template <int BM, int BN, int STAGES, int BLOCKS>
struct WarpgroupTile {
  static constexpr int kRows = BM, kColumns = BN, kStages = STAGES, kBlocks = BLOCKS;
  static constexpr int kDepth = 64, kSplitDepth = kDepth;
  static constexpr int kThreads = BM / 64 * 128;
  static constexpr int kStageBytes = kDepth * 2 * (BM + BN);
  static constexpr int kSharedBytes = STAGES * kStageBytes + 1024 + STAGES * 8;  // and barriers
};

// The operands by tensor maps: boxes of 64 columns, 128 bytes, and a tile's rows.
struct MappedGemmArguments {
  TensorGemmArguments g;
  TensorMap a, b, low_a, low_b;
};
// A convolution's by tensor maps, where all channels are whole boxes of 64: patches of x [B, H, W,
// I] (or dy), and w as [O, taps, I]. Rows of the product are lines of `width`, images of `height`
// lines; the kernel begins at every stride-th place from -pad on.
struct MappedConvArguments {
  TensorGemmArguments g;
  TensorMap patches, w;
  i32 width, height, kernel, stride, pad, channels;
};
// One block on a multiprocessor, which reads the least; two, where columns or tiles are too few.
typedef WarpgroupTile<128, 256, 4, 1> BroadTile;
typedef WarpgroupTile<128, 128, 3, 2> SquareTile;

LN_SIGNATURES_16_BIT(hopper_gemm_nt_broad, (const LN_CONSTANT MappedGemmArguments g))
LN_SIGNATURES_16_BIT(hopper_gemm_nt_square, (const LN_CONSTANT MappedGemmArguments g))
LN_SIGNATURES_16_BIT(hopper_gemm_nn_broad, (const LN_CONSTANT MappedGemmArguments g))
LN_SIGNATURES_16_BIT(hopper_gemm_nn_square, (const LN_CONSTANT MappedGemmArguments g))
LN_SIGNATURES_16_BIT(hopper_mapped_conv_fwd_broad, (const LN_CONSTANT MappedConvArguments c))
LN_SIGNATURES_16_BIT(hopper_mapped_conv_fwd_square, (const LN_CONSTANT MappedConvArguments c))
LN_SIGNATURES_16_BIT(hopper_conv_fwd_broad, (TensorGemmArguments g, ConvArguments c))
LN_SIGNATURES_16_BIT(hopper_conv_fwd_square, (TensorGemmArguments g, ConvArguments c))
LN_SIGNATURES_16_BIT(hopper_mapped_conv_bwd_broad, (const LN_CONSTANT MappedConvArguments c))
LN_SIGNATURES_16_BIT(hopper_mapped_conv_bwd_square, (const LN_CONSTANT MappedConvArguments c))
LN_SIGNATURES_16_BIT(hopper_conv_bwd_broad, (TensorGemmArguments g, ConvArguments c))
LN_SIGNATURES_16_BIT(hopper_conv_bwd_square, (TensorGemmArguments g, ConvArguments c))

// Convolution: tile and signatures.
#pragma once
#include "types.h"

struct ConvTile {
  static constexpr int kRows = 64, kColumns = 64, kDepth = 16, kThreads = 256;
  static constexpr int kStride = kRows + 4;
  static constexpr int kSharedBytes = 2 * kDepth * kStride * 4;
};
// See ln_conv2d_fwd.
struct ConvArguments {
  i32 B, H, W, I, OH, OW, O, kernel, stride, pad;
};
LN_SIGNATURES(conv2d_fwd, (const T* x, const T* w, const float* bias, T* y, ConvArguments c))
LN_SIGNATURES(conv2d_bwd, (const T* dy, const T* w, T* dx, ConvArguments c))

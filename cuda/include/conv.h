// Convolution: tile, arguments and signatures.
#pragma once
#include "tensor_gemm.h"

struct ConvTile {
  static constexpr int kRows = 64, kColumns = 64, kDepth = 16, kThreads = 256;
  static constexpr int kStride = kRows + 4;
  static constexpr int kSharedBytes = 2 * kDepth * kStride * 4;
};

// A divisor that is known before the launch: n / d for 0 <= n < 2^31 as a multiplication (Granlund
// and Montgomery 1994, as CUTLASS's FastDivmod).
struct Divisor {
  u32 divisor, magic, shift;

  void set(u32 d) {
    divisor = d;
    for (shift = 0; (1u << shift) < d; shift++) {
    }
    magic = u32(((1ull << 32) * ((1ull << shift) - d)) / d + 1);
  }
};

// See ln_conv2d_fwd. Divisors go with the fields after which they are named.
struct ConvArguments {
  i32 B, H, W, I, OH, OW, O, kernel, stride, pad;
  Divisor by_H, by_W, by_I, by_OH, by_OW, by_O, by_kernel, by_stride;
};
LN_SIGNATURES(conv2d_fwd, (const T* x, const T* w, const float* bias, T* y, ConvArguments c))
LN_SIGNATURES(conv2d_bwd, (const T* dy, const T* w, T* dx, ConvArguments c))

// On the tensor cores: g.a is x (or dy), g.b is w, g.c is y (or dx). I, and in backward O, are
// multiples of 8.
LN_SIGNATURES_16_BIT(tensor_conv_fwd_large, (TensorGemmArguments g, ConvArguments c))
LN_SIGNATURES_16_BIT(tensor_conv_fwd_small, (TensorGemmArguments g, ConvArguments c))
LN_SIGNATURES_16_BIT(tensor_conv_fwd_tall, (TensorGemmArguments g, ConvArguments c))
LN_SIGNATURES_16_BIT(tensor_conv_bwd_large, (TensorGemmArguments g, ConvArguments c))
LN_SIGNATURES_16_BIT(tensor_conv_bwd_small, (TensorGemmArguments g, ConvArguments c))

// The low-rank branch of a convolution (LoCon), forward and backward.       Yeh et al. 2023,
// LyCORIS
//
//   xa = conv(drop(x), A)                 y += s xa B^T
//   dyb = s dy B                          dx = mask(conv^T(dyb, A))
//   dA[tap] += dyb^T drop(x)[tap]         dB += s dy^T xa
//
// A is a convolution of kernel, stride and padding like W0's to rank channels, B one of one pixel.
// x[tap] is the image that a tap of the kernel reads, copied into scratch one tap at a time: the
// gradient of A is kernel^2 products (conv2d_weight.cpp). In 16 bits A and B are copies whose rank
// is filled up with zeros to whole chunks of 8.
#include "composed/backend.h"

namespace ln {
namespace LN_ISA {
namespace {

int64_t aligned(int64_t bytes) { return (bytes + 63) / 64 * 64; }

struct Call {
  int64_t handle;
  ConvShape s;
  int64_t O, rank, scratch, step;
  float scale, dropout;
  int32_t stream, dtype;
  int64_t width, dyb_at, tap_at, dropped_at, masked_at, bytes = 0;

  Call(int64_t handle_, const ConvShape& s_, int64_t O_, int64_t rank_, int64_t scratch_,
       int64_t step_, float scale_, float dropout_, int32_t stream_, int32_t dtype_)
      : handle(handle_),
        s(s_),
        O(O_),
        rank(rank_),
        scratch(scratch_),
        step(step_),
        scale(scale_),
        dropout(dropout_),
        stream(stream_),
        dtype(dtype_) {
    int64_t size = dtype == LN_F32 ? 4 : 2;
    auto take = [this](int64_t n) {
      int64_t start = bytes;
      bytes += aligned(n);
      return start;
    };
    width = dtype == LN_F32 ? rank : (rank + 7) / 8 * 8;
    dyb_at = take(size * rows() * width);
    tap_at = take(size * rows() * s.I);
    dropped_at = take(dropout > 0 ? size * numbers() : 0);
    masked_at = take(dropout > 0 ? size * numbers() : 0);
  }

  Device* device() const { return of(handle); }
  int64_t rows() const { return s.B * s.OH * s.OW; }
  int64_t numbers() const { return s.B * s.H * s.W * s.I; }

  Matrix low(int64_t address, bool transposed = false) const {
    return {address, dtype, transposed, width};
  }

  // x, or what dropout leaves of it.
  int drop_input(int64_t* x) {
    if (dropout == 0) return LN_OK;
    int64_t from = *x;
    *x = scratch + dropped_at;
    return drop(device(), from, *x, numbers(), dropout, stream, step, false, dtype);
  }
};

}  // namespace

int64_t ln_lora_conv2d_scratch(int64_t device, int64_t B, int64_t H, int64_t W, int64_t I,
                               int64_t OH, int64_t OW, int64_t O, int64_t kernel, int64_t rank,
                               float dropout, int32_t dtype) {
  ConvShape s{B, H, W, I, OH, OW, kernel, 1, 0};
  return Call(device, s, O, rank, 0, 0, 1, dropout, 0, dtype).bytes;
}

int ln_lora_conv2d_fwd(int64_t device, int64_t x, int64_t a, int64_t b, int64_t y, int64_t xa,
                       int64_t scratch, int64_t step, int64_t B, int64_t H, int64_t W, int64_t I,
                       int64_t OH, int64_t OW, int64_t O, int64_t kernel, int64_t stride,
                       int64_t pad, int64_t rank, float scale, float dropout, int32_t stream,
                       int32_t dtype) {
  ConvShape s{B, H, W, I, OH, OW, kernel, stride, pad};
  Call c(device, s, O, rank, scratch, step, scale, dropout, stream, dtype);
  LN_TRY(c.drop_input(&x));
  LN_TRY(
      ln_conv2d_fwd(device, x, a, 0, xa, B, H, W, I, OH, OW, c.width, kernel, stride, pad, dtype));
  Gemm up{c.rows(), O, c.width, c.low(xa), c.low(b, true), {y, dtype, false}};
  up.scale = scale;
  up.accumulate = true;
  return c.device()->gemm(c.device(), up);
}

int ln_lora_conv2d_bwd(int64_t device, int64_t dy, int64_t x, int64_t xa, int64_t a, int64_t b,
                       int64_t dx, int64_t da, int64_t db, int64_t scratch, int64_t step, int64_t B,
                       int64_t H, int64_t W, int64_t I, int64_t OH, int64_t OW, int64_t O,
                       int64_t kernel, int64_t stride, int64_t pad, int64_t rank, float scale,
                       float dropout, int32_t stream, int32_t dtype) {
  ConvShape s{B, H, W, I, OH, OW, kernel, stride, pad};
  Call c(device, s, O, rank, scratch, step, scale, dropout, stream, dtype);
  auto product = [&c](Gemm g, float factor, bool accumulate) {
    g.scale = factor;
    g.accumulate = accumulate;
    return c.device()->gemm(c.device(), g);
  };
  int64_t rows = c.rows(), dyb = scratch + c.dyb_at, tap = scratch + c.tap_at;
  LN_TRY(c.drop_input(&x));
  Matrix gradient{dy, dtype, false}, gradient_t{dy, dtype, true};
  LN_TRY(product({rows, c.width, O, gradient, c.low(b), c.low(dyb)}, scale, false));
  LN_TRY(product({O, rank, rows, gradient_t, c.low(xa), {db, LN_F32, false}}, scale, true));
  LN_TRY(correlate(c.device(), c.low(dyb, true), x, da, tap, s, rank, true, dtype));
  if (!dx) return LN_OK;
  int64_t to = dropout > 0 ? scratch + c.masked_at : dx;
  LN_TRY(
      ln_conv2d_bwd(device, dyb, a, to, B, H, W, I, OH, OW, c.width, kernel, stride, pad, dtype));
  if (dropout == 0) return LN_OK;
  return drop(c.device(), to, dx, c.numbers(), dropout, stream, step, false, dtype);
}

}  // namespace LN_ISA
}  // namespace ln

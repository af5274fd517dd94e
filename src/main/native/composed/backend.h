// What ops that are made of matrix products need of a backend. The files of this folder are
// compiled once for each backend, in its namespace.
#pragma once
#include "common/device.h"
#include "common/gemm.h"
#include "lora_ops.h"

namespace ln {
namespace LN_ISA {

#include "declarations.inc"

// What the gated linear unit behind a product makes of C.
int gate(Device* device, const Gemm& g);
// The product, with its unit if it has one.
int product(Device* device, const Gemm& g);

// y = keep ? x / (1 - dropout) : 0, or y += that if add; the mask is Philox(step; element, stream).
int drop(Device* device, int64_t x, int64_t y, int64_t n, float dropout, int32_t stream,
         int64_t step, bool add, int32_t dtype);

// A convolution of lora_ops.h without its output channels.
struct ConvShape {
  int64_t B, H, W, I, OH, OW, kernel, stride, pad;
};

// y [B OH OW, I] = what one tap of the kernel reads of x [B, H, W, I]; zeros beyond its edges.
int take_tap(Device* device, int64_t x, int64_t y, const ConvShape& s, int64_t ky, int64_t kx,
             int32_t dtype);

// dw [O, kernel, kernel, I] f32 = dy^T [O, B OH OW] and what each tap reads of x, or added to that.
// tap: scratch for an image of B OH OW pixels.
int correlate(Device* device, const Matrix& dy, int64_t x, int64_t dw, int64_t tap,
              const ConvShape& s, int64_t O, bool accumulate, int32_t dtype);

// d = scale p1 o p2, n numbers: p1, p2 f32. Overwrites d.
int hadamard(Device* device, int64_t p1, int64_t p2, int64_t d, int64_t n, float scale,
             int32_t dtype);
// p1, p2 = scale dd o p2, scale dd o p1, all f32: the gradients of the two.
int hadamard_gradients(Device* device, int64_t dd, int64_t p1, int64_t p2, int64_t n, float scale);

// LoKr's D [out_l out_k, taps, in_m in_n] = scale w1 [out_l, in_m] (x) w2 [out_k, taps, in_n].
struct Kronecker {
  int64_t out_l, out_k, in_m, in_n, taps;
  float scale;

  int64_t first_size() const { return out_l * in_m; }
  int64_t second_size() const { return out_k * taps * in_n; }
  // Where a row of w2 lies in D beside a number of w1.
  int64_t at(int64_t o1, int64_t i1, int64_t o2, int64_t tap) const {
    return (((o1 * out_k + o2) * taps + tap) * in_m + i1) * in_n;
  }
};
// w1, w2 f32. Overwrites d.
int kronecker(Device* device, const Kronecker& k, int64_t w1, int64_t w2, int64_t d, int32_t dtype);
// From dd f32: adds to dw1, and to dw2 if accumulate, else overwrites that.
int kronecker_gradients(Device* device, const Kronecker& k, int64_t dd, int64_t w1, int64_t w2,
                        int64_t dw1, int64_t dw2, bool accumulate);

}  // namespace LN_ISA
}  // namespace ln

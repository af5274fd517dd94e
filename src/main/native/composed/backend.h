// What ops that are made of matrix products need of a backend. The files of this folder are
// compiled once for each backend, in its namespace.
#pragma once
#include "common/device.h"
#include "common/gemm.h"
#include "lora_ops.h"

namespace ln {
namespace LN_ISA {

#include "declarations.inc"

// to [padded_rows, padded_columns] in a 16-bit dtype = from [rows, columns] f32, rounded to
// nearest, zeros around it.
int round_padded(Device* device, int64_t from, int64_t to, int64_t rows, int64_t columns,
                 int64_t padded_rows, int64_t padded_columns, int32_t dtype);

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

}  // namespace LN_ISA
}  // namespace ln

// The product of a language model's head, which begins the softmax (cuda/head_gemm.cu).
#pragma once
#include "composed/backend.h"
#include "cuda/launch.h"
#include "head_gemm.h"

namespace ln {

// Columns of V in a group of its sums, on this card.
int64_t head_group_columns(const Device* device);

// Whether [M, K] times w [N, K] goes this way: in 16 bits, of blocks where they are dequantized by
// panels.
bool fits_head_product(const Device* device, int64_t M, int64_t N, int64_t K, int32_t w_dtype,
                       int32_t dtype);

// A B^T of g, C in 16 bits or nowhere (address 0); g.scratch as Device::gemm_scratch says.
int head_product(Device* device, const Gemm& g, const HeadArguments& h);

}  // namespace ln

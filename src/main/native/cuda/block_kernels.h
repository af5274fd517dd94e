// Launches of kernels that have an instance for each format of blocks.
#pragma once
#include <string>

#include "common/types.h"
#include "cuda/launch.h"

namespace ln {

// <kernel>_<format>_<dtype>, as LN_BLOCK_FORMATS names formats.
inline std::string block_kernel(const char* kernel, int32_t format, int32_t dtype) {
  const char* name = "?";
#define LN_NAME(own, Format) \
  if (format == k##Format) name = #own;
  LN_BLOCK_FORMATS(LN_NAME)
#undef LN_NAME
  return std::string(kernel) + "_" + name + (dtype == LN_BF16 ? "_bf16" : "_f16");
}

// As LN_LAUNCH_16_BIT; all formats' instances have one signature.
#define LN_LAUNCH_BLOCKS(device, format, dtype, kernel, grid, threads, shared, ...)              \
  ln::Launch<decltype(kernel##_nf4_bf16)>::run(device,                                           \
                                               ln::block_kernel(#kernel, format, dtype).c_str(), \
                                               grid, threads, shared, __VA_ARGS__)

}  // namespace ln

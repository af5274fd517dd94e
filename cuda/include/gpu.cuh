// What every kernel includes: under NVRTC the language itself, otherwise the emulator's twin of it.
#pragma once
#ifndef __CUDACC__
#include "cuda_emu.h"
#define LN_DYNAMIC_SHARED(type, name) \
  type* name = reinterpret_cast<type*>(emu::current_block->shared)
#else
#define LN_DYNAMIC_SHARED(type, name) extern __shared__ __align__(128) type name[]
#define LN_KERNEL(kernel)
#endif
#include "types.h"

#define LN_DEVICE __device__ __forceinline__

LN_DEVICE float load(float x) { return x; }
LN_DEVICE float load(gpu_bf16 x) { return __uint_as_float(u32(x.bits) << 16); }
LN_DEVICE void store(float* to, float x) { *to = x; }
// Rounds to nearest, ties to even; NaN stays NaN.
LN_DEVICE void store(gpu_bf16* to, float x) {
  u32 bits = __float_as_uint(x);
  u32 rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  to->bits = (unsigned short)((bits & 0x7fffffffu) > 0x7f800000u ? (bits >> 16) | 0x40u : rounded);
}

LN_DEVICE float negative_infinity() { return __uint_as_float(0xff800000u); }

// Sum and maximum over a warp, the same in every lane.
LN_DEVICE float warp_sum(float x) {
  for (int lanes = 16; lanes > 0; lanes >>= 1) x += __shfl_xor_sync(0xffffffffu, x, lanes);
  return x;
}
LN_DEVICE float warp_max(float x) {
  for (int lanes = 16; lanes > 0; lanes >>= 1) x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, lanes));
  return x;
}

LN_DEVICE i64 global_thread() { return i64(blockIdx.x) * blockDim.x + threadIdx.x; }

// The row of a kernel that gives each warp one.
LN_DEVICE i64 warp_row() { return i64(blockIdx.x) * (blockDim.x / 32) + threadIdx.x / 32; }

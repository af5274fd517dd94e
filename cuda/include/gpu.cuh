// What every kernel includes: under NVRTC the language itself, otherwise the emulator's twin of it.
#pragma once
#include "ptx.cuh"
// The block's dynamic shared memory. One array under NVRTC, whatever the kernels of a file read it
// as.
#ifdef __CUDACC__
extern __shared__ __align__(128) char dynamic_shared[];
#define LN_DYNAMIC_SHARED(type, name) type* name = reinterpret_cast<type*>(dynamic_shared)
#define LN_KERNEL(kernel)
#else
#define LN_DYNAMIC_SHARED(type, name) \
  type* name = reinterpret_cast<type*>(emu::current_block->shared)
#endif

// Instances of a kernel for the dtypes of activations, as LN_SIGNATURES declares them; the last
// argument is the body, which knows the dtype as T. `bounds` is (threads) or (threads, blocks that
// a multiprocessor should hold): with the latter registers are given out accordingly.
#define LN_INSTANCES(bounds, kernel, parameters, ...)              \
  LN_INSTANCE(bounds, kernel, f32, float, parameters, __VA_ARGS__) \
  LN_INSTANCES_16_BIT(bounds, kernel, parameters, __VA_ARGS__)
#define LN_INSTANCES_16_BIT(bounds, kernel, parameters, ...)           \
  LN_INSTANCE(bounds, kernel, bf16, gpu_bf16, parameters, __VA_ARGS__) \
  LN_INSTANCE(bounds, kernel, f16, gpu_f16, parameters, __VA_ARGS__)
#define LN_INSTANCE(bounds, kernel, suffix, type, parameters, ...)                     \
  namespace kernels_##suffix {                                                         \
    typedef type T;                                                                    \
    extern "C" __global__ void __launch_bounds__ bounds kernel##_##suffix parameters { \
      __VA_ARGS__;                                                                     \
    }                                                                                  \
    LN_KERNEL(kernel##_##suffix)                                                       \
  }

LN_DEVICE float load(float x) { return x; }
LN_DEVICE float load(gpu_bf16 x) { return __uint_as_float(u32(x.bits) << 16); }
LN_DEVICE float load(gpu_f16 x) { return widen(x); }
LN_DEVICE void store(float* to, float x) { *to = x; }
template <typename T>
LN_DEVICE void store(T* to, float x) {
  to->bits = (unsigned short)pack<T>(x, 0.0f);
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

// Sum over a block of a power of two of threads, in a fixed order; shared holds one double each.
LN_DEVICE double block_sum(double x, double* shared) {
  shared[threadIdx.x] = x;
  for (u32 half = blockDim.x / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) shared[threadIdx.x] += shared[threadIdx.x + half];
  }
  __syncthreads();
  return shared[0];
}

LN_DEVICE i64 global_thread() { return i64(blockIdx.x) * blockDim.x + threadIdx.x; }

// The row of a kernel that gives each warp one.
LN_DEVICE i64 warp_row() { return i64(blockIdx.x) * (blockDim.x / 32) + threadIdx.x / 32; }

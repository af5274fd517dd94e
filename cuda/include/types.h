// Types that kernels and their launchers share. NVRTC has no <stdint.h>.
#pragma once

typedef long long i64;
typedef int i32;
typedef unsigned u32;
typedef unsigned long long u64;

struct gpu_bf16 {
  unsigned short bits;
};
struct gpu_f16 {
  unsigned short bits;
};

// How a matrix in blocks lies: the codes of lora_ops.h, which cuda/ops/gemm.cpp asserts. Each has a
// class (blocks.cuh) and a name that ends those of its kernels.
#define LN_BLOCK_FORMATS(each)                                                             \
  each(q8_0, Q8_0) each(q4_0, Q4_0) each(q4_1, Q4_1) each(q5_0, Q5_0) each(q5_1, Q5_1)     \
      each(q4_k, Q4_K) each(q5_k, Q5_K) each(q6_k, Q6_K) each(nf4, Nf4) each(mxfp4, Mxfp4) \
          each(fp8, Fp8)
enum BlockFormat {
  kQ8_0 = 8,
  kQ4_0 = 9,
  kQ4_1 = 10,
  kQ5_0 = 11,
  kQ5_1 = 12,
  kQ4_K = 13,
  kQ5_K = 14,
  kQ6_K = 15,
  kNf4 = 16,
  kMxfp4 = 19,
  kFp8 = 20
};

// A matrix and a box of it, as cuTensorMapEncodeTiled writes them for the copies of whole tiles.
struct alignas(64) TensorMap {
  u64 words[16];
};

// ln_step of lora_ops.h.
struct gpu_step {
  unsigned long long seed;
  u32 step, micro_step;
  float learning_rate, bias1, bias2, inv_labelled, loss_scale;
};

// A kernel's signature, as its launcher sees it.
#ifndef __CUDACC__
#ifndef __global__
#define __global__
#endif
#endif
// An argument whose address the kernel takes: it stays in constant memory.
#ifdef __CUDACC__
#define LN_CONSTANT __grid_constant__
#else
#define LN_CONSTANT
#endif
#define LN_SIGNATURE extern "C" __global__ void

// A kernel for each dtype of activations: <kernel>_f32, _bf16 and _f16, with T in `parameters`.
#define LN_SIGNATURES(kernel, parameters)          \
  LN_SIGNATURE_FOR(kernel, f32, float, parameters) \
  LN_SIGNATURES_16_BIT(kernel, parameters)
#define LN_SIGNATURES_16_BIT(kernel, parameters)       \
  LN_SIGNATURE_FOR(kernel, bf16, gpu_bf16, parameters) \
  LN_SIGNATURE_FOR(kernel, f16, gpu_f16, parameters)
#define LN_SIGNATURE_FOR(kernel, suffix, type, parameters) \
  namespace kernels_##suffix {                             \
    typedef type T;                                        \
    LN_SIGNATURE kernel##_##suffix parameters;             \
  }                                                        \
  using kernels_##suffix::kernel##_##suffix;

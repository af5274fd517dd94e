// Types that kernels and their launchers share. NVRTC has no <stdint.h>.
#pragma once

typedef long long i64;
typedef int i32;
typedef unsigned u32;

struct gpu_bf16 {
  unsigned short bits;
};

// ln_step of lora_ops.h.
struct gpu_step {
  unsigned long long seed;
  u32 step, micro_step;
  float learning_rate, bias1, bias2, inv_labelled;
};

// A kernel's signature, as its launcher sees it.
#ifndef __CUDACC__
#ifndef __global__
#define __global__
#endif
#endif
#define LN_SIGNATURE extern "C" __global__ void

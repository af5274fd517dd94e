// The device behind a handle, and how an op reaches its implementation.
#pragma once
#include <stdint.h>

namespace ln {

// One entry for each op of the headers in ops/, in their order.
struct Ops {
#include "fields.inc"
};

struct Gemm;       // common/gemm.h
struct OneDnn;     // cpu/onednn.h: the oneDNN primitives made so far
struct CudaState;  // cuda/driver.h: the card, its modules

struct Device {
  const Ops* ops;
  // The device's matrix product; ops of composed/ are made of it.
  int (*gemm)(Device* device, const Gemm& g);
  // The scratch of a product [M, K] [K, N] whose right side is stored as w_dtype.
  int64_t (*gemm_scratch)(const Device* device, int64_t M, int64_t N, int64_t K, int32_t w_dtype,
                          int32_t dtype);
  int threads;
  OneDnn* onednn = nullptr;
  CudaState* cuda = nullptr;
};

inline Device* of(int64_t handle) { return reinterpret_cast<Device*>(handle); }

// The device, its card's context made the calling thread's own: what every exported op does first.
Device* entered(int64_t handle);

// Records the sentence for ln_last_error() and returns code.
__attribute__((format(printf, 2, 3))) int fail(int code, const char* format, ...);

// Returns from the function if the expression is a status other than LN_OK.
#define LN_TRY(expression) \
  if (int try_status = (expression)) return try_status

template <typename T>
inline T* ptr(int64_t address) {
  return reinterpret_cast<T*>(address);
}

}  // namespace ln

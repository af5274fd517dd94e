// NVIDIA's driver library, opened by name at run time: there is no link-time dependency. Given the
// emulator's library instead, everything behind it is the same code.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include <string>
#include <unordered_map>
#include <vector>

#include "common/device.h"

namespace ln {

struct Driver {
  int (*init)(unsigned);
  int (*version)(int*);
  int (*device_count)(int*);
  int (*device_get)(int*, int);
  int (*device_name)(char*, int, int);
  int (*device_total)(size_t*, int);
  int (*device_attribute)(int*, int, int);
  int (*context_retain)(void**, int);
  int (*context_release)(int);
  int (*context_set)(void*);
  int (*synchronize)();
  int (*error_string)(int, const char**);
  int (*memory_info)(size_t*, size_t*);
  int (*allocate)(uintptr_t*, size_t);
  int (*free)(uintptr_t);
  int (*upload)(uintptr_t, const void*, size_t);
  int (*download)(void*, uintptr_t, size_t);
  int (*fill)(uintptr_t, unsigned char, size_t);
  int (*module_load)(void**, const void*);
  int (*module_unload)(void*);
  int (*module_function)(void**, void*, const char*);
  int (*launch)(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*,
                void**, void**);
};

struct CudaState {
  const Driver* driver;
  int index;
  std::vector<void*> modules;
  std::unordered_map<std::string, void*> functions;
  Device* host;  // the CPU device that dequantizes weights on their way to the card
};

// A driver's code as a status, with its sentence; 0 stays 0.
int cuda_check(const Device* device, int code, const char* what);

struct Grid {
  int64_t x = 1, y = 1;
};
int cuda_launch(Device* device, const char* kernel, Grid grid, unsigned threads,
                unsigned shared_bytes, void** arguments);

int cuda_gemm(Device* device, const Gemm& g);  // cuda/ops/gemm.cpp

}  // namespace ln

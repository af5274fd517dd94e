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
  int (*device_bus)(char*, int, int);
  int (*context_retain)(void**, int);
  int (*context_set)(void*);
  int (*error_string)(int, const char**);
  int (*memory_info)(size_t*, size_t*);
  int (*allocate)(uintptr_t*, size_t);
  int (*free)(uintptr_t);
  int (*host_allocate)(void**, size_t, unsigned);
  int (*host_free)(void*);
  int (*upload)(uintptr_t, const void*, size_t, void*);
  int (*download)(void*, uintptr_t, size_t, void*);
  int (*copy)(uintptr_t, uintptr_t, size_t, void*);
  int (*fill)(uintptr_t, unsigned char, size_t, void*);
  int (*stream_create)(void**, unsigned);
  int (*stream_destroy)(void*);
  int (*stream_wait)(void*);
  int (*stream_wait_event)(void*, void*, unsigned);
  int (*event_create)(void**, unsigned);
  int (*event_destroy)(void*);
  int (*event_record)(void*, void*);
  int (*event_wait)(void*);
  int (*capture_begin)(void*, int);
  int (*capture_end)(void*, void**);
  int (*graph_instantiate)(void**, void*, unsigned long long);
  int (*graph_launch)(void*, void*);
  int (*graph_destroy)(void*);
  int (*graph_instance_destroy)(void*);
  int (*function_attribute)(void*, int, int);
  int (*module_load)(void**, const void*);
  int (*module_unload)(void*);
  int (*module_function)(void**, void*, const char*);
  int (*tensor_map)(void*, int, unsigned, void*, const uint64_t*, const uint64_t*, const uint32_t*,
                    const uint32_t*, int, int, int, int);
  int (*patch_map)(void*, int, unsigned, void*, const uint64_t*, const uint64_t*, const int*,
                   const int*, uint32_t, uint32_t, const uint32_t*, int, int, int, int);
  int (*launch)(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*,
                void**, void**);
};

// Where splits of a matrix product leave their sums: part of an open device, whatever the plan.
constexpr int64_t kCudaWorkspaceBytes = int64_t(16) << 20;

// Weights pass to the card through two such pinned pieces: one is filled while the other is copied.
struct Staging {
  static constexpr size_t kBytes = size_t(8) << 20;
  char* memory[2] = {};
  void* copied[2] = {};  // events
};

struct CudaState {
  const Driver* driver;
  int capability;          // major * 10 + minor
  void* context;           // the card's primary one; every call on any thread needs it current
  char bus[32];            // where the card sits, by which NVML knows it
  int64_t cache_bytes;     // its L2
  bool warpgroups;         // kernels that only Hopper has (9.0): its successors have others
  bool watched = false;    // each kernel is waited for
  bool lost = false;       // a kernel faulted: the context does nothing any more
  Device* host;            // the CPU device that dequantizes weights on their way to the card
  void* stream = nullptr;  // every op and copy, in order
  void* beside = nullptr;  // the next batch's copies
  void* joined = nullptr;  // event: what `stream` waits for
  uintptr_t workspace = 0;
  Staging staging;
  std::vector<void*> modules;
  std::unordered_map<std::string, void*> functions;
};

// Makes and ends what an open device owns.
int cuda_prepare(Device* device);
int cuda_release(Device* device);

// The one code of the driver that means that memory is short.
constexpr int kCudaOutOfMemory = 2;

// A driver's code as a status, with its sentence; 0 stays 0.
int cuda_check(const Device* device, int code, const char* what);
// The same for what is given back: a lost context has taken it along, so there is nothing to say.
int cuda_check_freed(const Device* device, int code, const char* what);

struct Grid {
  int64_t x = 1, y = 1, z = 1;
};
int cuda_launch(Device* device, const char* kernel, Grid grid, unsigned threads,
                unsigned shared_bytes, void** arguments);

inline int64_t cuda_workspace(const Device* device) { return int64_t(device->cuda->workspace); }

// cuda/ops/gemm.cpp
int cuda_gemm(Device* device, const Gemm& g);
int64_t cuda_gemm_scratch(const Device* device, int64_t M, int64_t N, int64_t K, int32_t w_dtype,
                          int32_t dtype);

}  // namespace ln

// The functions of NVIDIA's driver library that we call, over host memory. Device `cuda-emu` is
// device `cuda` given this library, so launchers, memory and errors are the real ones.
//
// Environment: LN_EMU_MEMORY (bytes of the card, default 8 GiB), LN_EMU_DEVICES (default 1),
// LN_EMU_CAPABILITY (default 86), LN_EMU_DRIVER (default 12080), LN_EMU_SEED (schedule, default 0).
#include <stdio.h>
#include <stdlib.h>

#include <map>
#include <mutex>

#include "cuda_emu.h"
#include "shadow.h"

namespace {

enum { kSuccess = 0, kInvalid = 1, kOutOfMemory = 2, kNotFound = 500, kLaunchFailed = 719 };

std::mutex mutex;
std::map<uintptr_t, size_t> allocations;
size_t allocated;

long setting(const char* name, long otherwise) {
  const char* value = getenv(name);
  return value ? atol(value) : otherwise;
}

bool inside(uintptr_t p, size_t n) {
  std::lock_guard<std::mutex> lock(mutex);
  auto after = allocations.upper_bound(p);
  if (after == allocations.begin()) return false;
  --after;
  return p + n <= after->first + after->second;
}

size_t card_bytes() { return size_t(setting("LN_EMU_MEMORY", 8l << 30)); }

}  // namespace

#define API extern "C" __attribute__((visibility("default"))) int

API cuInit(unsigned) {
  emu::set_schedule(uint64_t(setting("LN_EMU_SEED", 0)));
  return setting("LN_EMU_DEVICES", 1) > 0 ? kSuccess : 100;  // CUDA_ERROR_NO_DEVICE
}
API cuDriverGetVersion(int* version) {
  *version = int(setting("LN_EMU_DRIVER", 12080));
  return kSuccess;
}
API cuDeviceGetCount(int* n) {
  *n = int(setting("LN_EMU_DEVICES", 1));
  return kSuccess;
}
API cuDeviceGet(int* device, int index) {
  *device = index;
  return kSuccess;
}
API cuDeviceGetName(char* name, int n, int) {
  snprintf(name, size_t(n), "emulated card");
  return kSuccess;
}
API cuDeviceTotalMem_v2(size_t* bytes, int) {
  *bytes = card_bytes();
  return kSuccess;
}
API cuDeviceGetAttribute(int* value, int attribute, int) {
  int capability = int(setting("LN_EMU_CAPABILITY", 86));
  *value = attribute == 75 ? capability / 10 : attribute == 76 ? capability % 10 : 0;
  return kSuccess;
}
API cuDevicePrimaryCtxRetain(void** context, int) {
  *context = reinterpret_cast<void*>(1);
  return kSuccess;
}
API cuDevicePrimaryCtxRelease_v2(int) { return kSuccess; }
API cuCtxSetCurrent(void*) { return kSuccess; }
API cuCtxSynchronize() { return emu::faults() ? kLaunchFailed : kSuccess; }
API cuGetErrorString(int code, const char** text) {
  *text = code == kOutOfMemory    ? "out of memory"
          : code == kLaunchFailed ? emu::first_fault()
          : code == kNotFound     ? "named symbol not found"
          : code == kInvalid      ? "invalid argument"
                                  : "no CUDA-capable device is detected";
  return kSuccess;
}
API cuMemGetInfo_v2(size_t* free_bytes, size_t* total) {
  *total = card_bytes();
  *free_bytes = *total - allocated;
  return kSuccess;
}
API cuMemAlloc_v2(uintptr_t* p, size_t n) {
  if (n == 0) return kInvalid;
  std::lock_guard<std::mutex> lock(mutex);
  if (n > card_bytes() - allocated) return kOutOfMemory;
  void* memory = emu::shadow_allocate(n);
  if (!memory) return kOutOfMemory;
  memset(memory, 0xff, n);  // a card's memory holds anything; NaN shows
  *p = uintptr_t(memory);
  allocations[*p] = n;
  allocated += n;
  return kSuccess;
}
API cuMemFree_v2(uintptr_t p) {
  std::lock_guard<std::mutex> lock(mutex);
  auto found = allocations.find(p);
  if (found == allocations.end()) return kInvalid;
  allocated -= found->second;
  emu::shadow_free(reinterpret_cast<void*>(p), found->second);
  allocations.erase(found);
  return kSuccess;
}
API cuMemcpyHtoD_v2(uintptr_t to, const void* from, size_t n) {
  if (!inside(to, n)) return kInvalid;
  memcpy(reinterpret_cast<void*>(to), from, n);
  return kSuccess;
}
API cuMemcpyDtoH_v2(void* to, uintptr_t from, size_t n) {
  if (!inside(from, n)) return kInvalid;
  memcpy(to, reinterpret_cast<void*>(from), n);
  return emu::faults() ? kLaunchFailed : kSuccess;
}
API cuMemsetD8_v2(uintptr_t to, unsigned char value, size_t n) {
  if (!inside(to, n)) return kInvalid;
  memset(reinterpret_cast<void*>(to), value, n);
  return kSuccess;
}
API cuModuleLoadData(void** module, const void*) {
  *module = reinterpret_cast<void*>(3);
  return kSuccess;
}
API cuModuleUnload(void*) { return kSuccess; }
API cuModuleGetFunction(const void** function, void*, const char* name) {
  *function = emu::find(name);
  return *function ? kSuccess : kNotFound;
}
API cuLaunchKernel(void* f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,
                   unsigned bz, unsigned shared_bytes, void*, void** arguments, void** extra) {
  // A card's own limits.
  if (!f || extra || !gx || !gy || !gz || gy > 65535 || gz > 65535 || bx * by * bz > 1024 ||
      bx * by * bz % 32 || shared_bytes > 48 * 1024)
    return kInvalid;
  emu::launch(static_cast<const emu::Kernel*>(f), dim3(gx, gy, gz), dim3(bx, by, bz), shared_bytes,
              arguments);
  return kSuccess;
}

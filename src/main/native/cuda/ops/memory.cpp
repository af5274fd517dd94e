// Memory of a card, and weights dequantized on the host on their way to it.
#include <stdlib.h>

#include "cuda/launch.h"

namespace ln {
namespace cuda {

int ln_device_close(int64_t device) {
  CudaState* state = of(device)->cuda;
  for (void* module : state->modules) state->driver->module_unload(module);
  state->driver->context_release(state->index);
  int status = state->host->ops->ln_device_close(reinterpret_cast<int64_t>(state->host));
  delete state;
  delete of(device);
  return status;
}

int ln_memory_allocate(int64_t device, int64_t bytes, int64_t* address) {
  const Driver* driver = of(device)->cuda->driver;
  size_t n = size_t(bytes > 0 ? bytes : 1);
  uintptr_t p = 0;
  if (driver->allocate(&p, n)) {
    size_t available = 0, total = 0;
    driver->memory_info(&available, &total);
    return fail(LN_OUT_OF_MEMORY, "the card has %zu MB free of %zu MB; %zu MB were asked for",
                available >> 20, total >> 20, n >> 20);
  }
  *address = int64_t(p);
  return cuda_check(of(device), driver->fill(p, 0, n), "memory cannot be cleared");
}

int ln_memory_free(int64_t device, int64_t address, int64_t) {
  const Driver* driver = of(device)->cuda->driver;
  return cuda_check(of(device), driver->free(uintptr_t(address)), "memory cannot be freed");
}

int ln_memory_fill(int64_t device, int64_t address, int32_t byte_value, int64_t bytes) {
  if (bytes == 0) return LN_OK;
  const Driver* driver = of(device)->cuda->driver;
  int code =
      driver->fill(uintptr_t(address), static_cast<unsigned char>(byte_value), size_t(bytes));
  return cuda_check(of(device), code, "memory cannot be filled");
}

int ln_memory_upload(int64_t device, int64_t to, int64_t from_host, int64_t bytes) {
  if (bytes == 0) return LN_OK;
  const Driver* driver = of(device)->cuda->driver;
  int code = driver->upload(uintptr_t(to), ptr<void>(from_host), size_t(bytes));
  return cuda_check(of(device), code, "a copy to the card failed");
}

int ln_memory_download(int64_t device, int64_t to_host, int64_t from, int64_t bytes) {
  if (bytes == 0) return LN_OK;
  const Driver* driver = of(device)->cuda->driver;
  int code = driver->download(ptr<void>(to_host), uintptr_t(from), size_t(bytes));
  return cuda_check(of(device), code, "a copy from the card failed");
}

int ln_dequantize_fwd(int64_t device, int64_t src, int32_t src_dtype, int64_t dst,
                      int32_t dst_dtype, int64_t n) {
  Device* host = of(device)->cuda->host;
  int64_t bytes = n * (dst_dtype == LN_F32 ? 4 : 2);
  void* staging = malloc(size_t(bytes > 0 ? bytes : 1));
  if (!staging) return fail(LN_OUT_OF_MEMORY, "no memory to stage %lld bytes", (long long)bytes);
  int64_t at = reinterpret_cast<int64_t>(staging);
  int status = host->ops->ln_dequantize_fwd(reinterpret_cast<int64_t>(host), src, src_dtype, at,
                                            dst_dtype, n);
  if (!status) status = ln_memory_upload(device, dst, at, bytes);
  free(staging);
  return status;
}

}  // namespace cuda
}  // namespace ln

// Memory of the CPU device: pages of the system.
#include <string.h>

#include "cpu/ops/op.h"
#include "cpu/products.h"
#include "platform/platform.h"

namespace ln {
namespace LN_ISA {

int ln_device_close(int64_t device) {
  onednn_close(of(device)->onednn);
  delete of(device);
  return LN_OK;
}

int ln_memory_allocate(int64_t, int64_t bytes, int64_t* address) {
  void* pages = platform::allocate_pages(size_t(bytes));
  if (!pages)
    return fail(LN_OUT_OF_MEMORY, "%lld bytes could not be allocated: %s", (long long)bytes,
                platform::reason());
  *address = reinterpret_cast<int64_t>(pages);
  return LN_OK;
}

int ln_memory_free(int64_t, int64_t address, int64_t bytes) {
  if (platform::free_pages(ptr<void>(address), size_t(bytes))) return LN_OK;
  return fail(LN_FAILED, "memory could not be freed: %s", platform::reason());
}

int ln_memory_fill(int64_t, int64_t address, int32_t byte_value, int64_t bytes) {
  memset(ptr<void>(address), byte_value, size_t(bytes));
  return LN_OK;
}

int ln_memory_upload(int64_t, int64_t to, int64_t from_host, int64_t bytes) {
  memcpy(ptr<void>(to), ptr<void>(from_host), size_t(bytes));
  return LN_OK;
}

int ln_memory_download(int64_t, int64_t to_host, int64_t from, int64_t bytes) {
  memcpy(ptr<void>(to_host), ptr<void>(from), size_t(bytes));
  return LN_OK;
}

// Host and device are one here, and an op has run when its call returns.
int ln_memory_copy(int64_t, int64_t to, int64_t from, int64_t bytes) {
  memmove(ptr<void>(to), ptr<void>(from), size_t(bytes));
  return LN_OK;
}

int ln_memory_ahead(int64_t device, int64_t to, int64_t from_host, int64_t bytes) {
  return ln_memory_upload(device, to, from_host, bytes);
}

int ln_memory_join(int64_t) { return LN_OK; }
int ln_device_wait(int64_t) { return LN_OK; }
int ln_device_watch(int64_t, int32_t) { return LN_OK; }

int ln_host_allocate(int64_t device, int64_t bytes, int64_t* address) {
  return ln_memory_allocate(device, bytes, address);
}

int ln_host_free(int64_t device, int64_t address, int64_t bytes) {
  return ln_memory_free(device, address, bytes);
}

static int no_capture() { return fail(LN_UNSUPPORTED, "the CPU has no graphs to capture"); }
int ln_capture_begin(int64_t) { return no_capture(); }
int ln_capture_end(int64_t, int64_t*) { return no_capture(); }
int ln_capture_launch(int64_t, int64_t) { return no_capture(); }
int ln_capture_free(int64_t, int64_t) { return no_capture(); }

}  // namespace LN_ISA
}  // namespace ln

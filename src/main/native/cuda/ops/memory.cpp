// Memory of a card, and copies to and from it.
#include <string.h>

#include "common/types.h"
#include "cuda/launch.h"

namespace ln {
namespace cuda {
namespace {

// Copies of fewer bytes go as they are: the driver stages them itself.
constexpr size_t kSmall = 64 << 10;

int wait(CudaState& cuda) { return cuda.driver->stream_wait(cuda.stream); }

// Passes `bytes` to `to` through pinned memory; produce(piece, from, n) writes bytes [from, from +
// n) of the whole. A piece is copied while the next is produced.
template <typename Produce>
int stage(Device* device, int64_t to, size_t bytes, Produce produce) {
  CudaState& cuda = *device->cuda;
  const Driver& d = *cuda.driver;
  for (size_t from = 0, turn = 0; from < bytes; from += Staging::kBytes, turn++) {
    size_t n = bytes - from < Staging::kBytes ? bytes - from : Staging::kBytes;
    char* piece = cuda.staging.memory[turn % 2];
    void* copied = cuda.staging.copied[turn % 2];
    int code = turn >= 2 ? d.event_wait(copied) : 0;
    if (!code) LN_TRY(produce(piece, from, n));
    if (!code) code = d.upload(uintptr_t(to) + from, piece, n, cuda.stream);
    if (!code) code = d.event_record(copied, cuda.stream);
    LN_TRY(cuda_check(device, code, "a copy to the card failed"));
  }
  return cuda_check(device, wait(cuda), "a copy to the card failed");
}

}  // namespace

int ln_device_close(int64_t device) { return cuda_release(of(device)); }

int ln_memory_allocate(int64_t device, int64_t bytes, int64_t* address) {
  const CudaState& cuda = *of(device)->cuda;
  size_t n = size_t(bytes > 0 ? bytes : 1);
  uintptr_t p = 0;
  int code = cuda.driver->allocate(&p, n);
  if (code == kCudaOutOfMemory) {
    size_t available = 0, total = 0;
    cuda.driver->memory_info(&available, &total);
    return fail(LN_OUT_OF_MEMORY, "the card has %zu MB free of %zu MB; %zu MB were asked for",
                available >> 20, total >> 20, n >> 20);
  }
  LN_TRY(cuda_check(of(device), code, "memory cannot be allocated"));
  *address = int64_t(p);
  code = cuda.driver->fill(p, 0, n, cuda.stream);
  if (!code) code = cuda.driver->stream_wait(cuda.stream);  // copies beside come after it too
  return cuda_check(of(device), code, "memory cannot be cleared");
}

int ln_memory_free(int64_t device, int64_t address, int64_t) {
  CudaState& cuda = *of(device)->cuda;
  int code = wait(cuda);  // nothing uses it any more
  if (!code) code = cuda.driver->free(uintptr_t(address));
  return cuda_check_freed(of(device), code, "memory cannot be freed");
}

int ln_memory_fill(int64_t device, int64_t address, int32_t byte_value, int64_t bytes) {
  if (bytes == 0) return LN_OK;
  CudaState& cuda = *of(device)->cuda;
  int code = cuda.driver->fill(uintptr_t(address), static_cast<unsigned char>(byte_value),
                               size_t(bytes), cuda.stream);
  return cuda_check(of(device), code, "memory cannot be filled");
}

int ln_memory_upload(int64_t device, int64_t to, int64_t from_host, int64_t bytes) {
  if (bytes == 0) return LN_OK;
  CudaState& cuda = *of(device)->cuda;
  const char* from = ptr<char>(from_host);
  if (size_t(bytes) > kSmall)
    return stage(of(device), to, size_t(bytes), [&](char* piece, size_t at, size_t n) {
      memcpy(piece, from + at, n);
      return int(LN_OK);
    });
  int code = cuda.driver->upload(uintptr_t(to), from, size_t(bytes), cuda.stream);
  if (!code) code = wait(cuda);
  return cuda_check(of(device), code, "a copy to the card failed");
}

int ln_memory_download(int64_t device, int64_t to_host, int64_t from, int64_t bytes) {
  if (bytes == 0) return LN_OK;
  CudaState& cuda = *of(device)->cuda;
  int code = cuda.driver->download(ptr<void>(to_host), uintptr_t(from), size_t(bytes), cuda.stream);
  if (!code) code = wait(cuda);
  return cuda_check(of(device), code, "a copy from the card failed");
}

int ln_memory_copy(int64_t device, int64_t to, int64_t from, int64_t bytes) {
  if (bytes == 0) return LN_OK;
  CudaState& cuda = *of(device)->cuda;
  int code = cuda.driver->copy(uintptr_t(to), uintptr_t(from), size_t(bytes), cuda.stream);
  return cuda_check(of(device), code, "a copy within the card failed");
}

int ln_memory_ahead(int64_t device, int64_t to, int64_t from_host, int64_t bytes) {
  if (bytes == 0) return LN_OK;
  CudaState& cuda = *of(device)->cuda;
  int code = cuda.driver->upload(uintptr_t(to), ptr<void>(from_host), size_t(bytes), cuda.beside);
  return cuda_check(of(device), code, "a copy to the card failed");
}

int ln_memory_join(int64_t device) {
  CudaState& cuda = *of(device)->cuda;
  int code = cuda.driver->event_record(cuda.joined, cuda.beside);
  if (!code) code = cuda.driver->stream_wait_event(cuda.stream, cuda.joined, 0);
  return cuda_check(of(device), code, "the card's streams cannot be joined");
}

int ln_host_allocate(int64_t device, int64_t bytes, int64_t* address) {
  void* memory = nullptr;
  int code = of(device)->cuda->driver->host_allocate(&memory, size_t(bytes > 0 ? bytes : 1), 0);
  if (code == kCudaOutOfMemory)
    return fail(LN_OUT_OF_MEMORY, "%lld bytes of host memory could not be pinned",
                (long long)bytes);
  LN_TRY(cuda_check(of(device), code, "host memory cannot be pinned"));
  memset(memory, 0, size_t(bytes));
  *address = reinterpret_cast<int64_t>(memory);
  return LN_OK;
}

int ln_host_free(int64_t device, int64_t address, int64_t) {
  CudaState& cuda = *of(device)->cuda;
  int code = cuda.driver->stream_wait(cuda.beside);
  if (!code) code = cuda.driver->host_free(ptr<void>(address));
  return cuda_check_freed(of(device), code, "pinned memory cannot be freed");
}

int ln_device_wait(int64_t device) {
  return cuda_check(of(device), wait(*of(device)->cuda), "the card failed");
}

int ln_device_watch(int64_t device, int32_t on) {
  of(device)->cuda->watched = on;
  return LN_OK;
}

// Blocks are dequantized by the host, straight into pinned memory.
int ln_dequantize_fwd(int64_t device, int64_t src, int32_t src_dtype, int64_t dst,
                      int32_t dst_dtype, int64_t first, int64_t rows, int64_t columns, int64_t) {
  if (rows != 1) return fail(LN_UNSUPPORTED, "rows of a matrix that is read onto a card");
  static const int kBlockElements = 256;  // every block type divides it
  static_assert(Staging::kBytes % (kBlockElements * 4) == 0, "a piece is whole blocks");
  Device* host = of(device)->cuda->host;
  size_t size = dst_dtype == LN_F32 ? 4 : 2;
  return stage(of(device), dst, size_t(columns) * size, [&](char* piece, size_t at, size_t bytes) {
    int64_t n = int64_t(bytes / size);
    return host->ops->ln_dequantize_fwd(reinterpret_cast<int64_t>(host), src, src_dtype,
                                        reinterpret_cast<int64_t>(piece), dst_dtype,
                                        first + int64_t(at / size), 1, n, n);
  });
}

}  // namespace cuda
}  // namespace ln

// The functions of NVIDIA's driver library that we call, over host memory. Device `cuda-emu` is
// device `cuda` given this library, so launchers, memory and errors are the real ones.
//
// Environment: LN_EMU_MEMORY (bytes of the card, default 8 GiB), LN_EMU_DEVICES (default 1),
// LN_EMU_CAPABILITY (default 86), LN_EMU_DRIVER (default 12080), LN_EMU_SEED (schedule, default 0),
// LN_EMU_FAIL (a kernel's name: it fails as one that touches what it must not).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <map>
#include <mutex>

#include "cuda_emu.h"
#include "shadow.h"
#include "streams.h"

namespace {

enum {
  kSuccess = 0,
  kInvalid = 1,
  kOutOfMemory = 2,
  kNotFound = 500,
  kIllegalAddress = 700,
  kLaunchFailed = 719,
  kCaptureUnsupported = 900
};

std::mutex mutex;
std::map<uintptr_t, size_t> allocations, pinned;
std::map<const emu::Kernel*, int> shared_allowed;
size_t allocated;

long setting(const char* name, long otherwise) {
  const char* value = getenv(name);
  return value ? atol(value) : otherwise;
}

bool inside(const std::map<uintptr_t, size_t>& pieces, uintptr_t p, size_t n) {
  std::lock_guard<std::mutex> lock(mutex);
  auto after = pieces.upper_bound(p);
  if (after == pieces.begin()) return false;
  --after;
  return p + n <= after->first + after->second;
}

int capability() { return int(setting("LN_EMU_CAPABILITY", 86)); }
// Dynamic shared memory of a block (CUDA C++ programming guide, "Compute capabilities").
int most_shared_bytes() {
  return (capability() == 80                                  ? 163
          : capability() / 10 == 8 || capability() / 10 == 12 ? 99
                                                              : 227)
         << 10;
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
  *value = attribute == 75 ? capability() / 10 : attribute == 76 ? capability() % 10 : 0;
  return kSuccess;
}
API cuDevicePrimaryCtxRetain(void** context, int) {
  *context = reinterpret_cast<void*>(1);
  return kSuccess;
}
API cuDevicePrimaryCtxRelease_v2(int) { return kSuccess; }
API cuCtxSetCurrent(void*) { return kSuccess; }
API cuGetErrorString(int code, const char** text) {
  *text = code == kOutOfMemory          ? "out of memory"
          : code == kLaunchFailed       ? emu::first_fault()
          : code == kIllegalAddress     ? "an illegal memory access was encountered"
          : code == kCaptureUnsupported ? "operation not permitted when stream is capturing"
          : code == kNotFound           ? "named symbol not found"
          : code == kInvalid            ? "invalid argument"
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
  emu::wait_for_all();
  std::lock_guard<std::mutex> lock(mutex);
  auto found = allocations.find(p);
  if (found == allocations.end()) return kInvalid;
  allocated -= found->second;
  emu::shadow_free(reinterpret_cast<void*>(p), found->second);
  allocations.erase(found);
  return kSuccess;
}
// Pinned memory is read when the copy runs, pageable memory when it is asked for.
API cuMemHostAlloc(void** p, size_t n, unsigned) {
  std::lock_guard<std::mutex> lock(mutex);
  *p = aligned_alloc(4096, (n + 4095) / 4096 * 4096);
  if (!*p) return kOutOfMemory;
  pinned[uintptr_t(*p)] = n;
  return kSuccess;
}
API cuMemFreeHost(void* p) {
  std::lock_guard<std::mutex> lock(mutex);
  if (!pinned.erase(uintptr_t(p))) return kInvalid;
  free(p);
  return kSuccess;
}
API cuMemcpyHtoDAsync_v2(uintptr_t to, const void* from, size_t n, emu::Stream* stream) {
  if (!inside(allocations, to, n)) return kInvalid;
  std::vector<emu::Range> range{{to, to + n, true}};
  if (inside(pinned, uintptr_t(from), n)) {
    auto run = [=] { return memcpy(reinterpret_cast<void*>(to), from, n), int(kSuccess); };
    emu::enqueue(stream, run, range);
    return kSuccess;
  }
  const char* bytes = static_cast<const char*>(from);
  std::vector<char> kept(bytes, bytes + n);
  auto run = [to, kept = std::move(kept)] {
    return memcpy(reinterpret_cast<void*>(to), kept.data(), kept.size()), int(kSuccess);
  };
  emu::enqueue(stream, std::move(run), range);
  return kSuccess;
}
API cuMemcpyDtoHAsync_v2(void* to, uintptr_t from, size_t n, emu::Stream* stream) {
  if (!inside(allocations, from, n)) return kInvalid;
  auto run = [=] { return memcpy(to, reinterpret_cast<void*>(from), n), int(kSuccess); };
  emu::enqueue(stream, run, {{from, from + n, false}});
  return kSuccess;
}
API cuMemcpyDtoDAsync_v2(uintptr_t to, uintptr_t from, size_t n, emu::Stream* stream) {
  if (!inside(allocations, to, n) || !inside(allocations, from, n)) return kInvalid;
  auto run = [=] {
    return memmove(reinterpret_cast<void*>(to), reinterpret_cast<void*>(from), n), int(kSuccess);
  };
  emu::enqueue(stream, run, {{to, to + n, true}, {from, from + n, false}});
  return kSuccess;
}
API cuMemsetD8Async(uintptr_t to, unsigned char value, size_t n, emu::Stream* stream) {
  if (!inside(allocations, to, n)) return kInvalid;
  auto run = [=] { return memset(reinterpret_cast<void*>(to), value, n), int(kSuccess); };
  emu::enqueue(stream, run, {{to, to + n, true}});
  return kSuccess;
}
API cuStreamCreate(emu::Stream** stream, unsigned) {
  *stream = emu::stream_create();
  return kSuccess;
}
API cuStreamDestroy_v2(emu::Stream* stream) {
  emu::stream_destroy(stream);
  return kSuccess;
}
API cuStreamSynchronize(emu::Stream* stream) {
  return stream->capture ? kCaptureUnsupported : emu::wait_for(stream);
}
API cuStreamWaitEvent(emu::Stream* stream, const emu::Event* event, unsigned) {
  emu::wait_event(stream, event);
  return kSuccess;
}
API cuEventCreate(emu::Event** event, unsigned) {
  *event = new emu::Event;
  return kSuccess;
}
API cuEventDestroy_v2(emu::Event* event) {
  delete event;
  return kSuccess;
}
API cuEventRecord(emu::Event* event, emu::Stream* stream) {
  emu::record(event, stream);
  return kSuccess;
}
API cuEventSynchronize(const emu::Event* event) { return emu::wait_for(event); }
API cuStreamBeginCapture_v2(emu::Stream* stream, int) {
  if (stream->capture) return kCaptureUnsupported;
  stream->capture = std::make_unique<emu::Graph>();
  return kSuccess;
}
API cuStreamEndCapture(emu::Stream* stream, emu::Graph** graph) {
  if (!stream->capture) return kInvalid;
  *graph = stream->capture.release();
  return kSuccess;
}
API cuGraphInstantiateWithFlags(emu::Graph** instance, const emu::Graph* graph,
                                unsigned long long) {
  *instance = new emu::Graph(*graph);
  return kSuccess;
}
API cuGraphLaunch(const emu::Graph* instance, emu::Stream* stream) {
  emu::launch_graph(stream, instance);
  return kSuccess;
}
API cuGraphDestroy(emu::Graph* graph) {
  delete graph;
  return kSuccess;
}
API cuGraphExecDestroy(emu::Graph* instance) {
  delete instance;
  return kSuccess;
}
API cuModuleLoadData(void** module, const void*) {
  *module = reinterpret_cast<void*>(3);
  return kSuccess;
}
API cuModuleUnload(void*) { return kSuccess; }
API cuModuleGetFunction(const emu::Kernel** function, void*, const char* name) {
  *function = emu::find(name);
  return *function ? kSuccess : kNotFound;
}
API cuFuncSetAttribute(const emu::Kernel* kernel, int attribute, int value) {
  if (attribute != 8 || value > most_shared_bytes()) return kInvalid;
  std::lock_guard<std::mutex> lock(mutex);
  shared_allowed[kernel] = value;
  return kSuccess;
}
API cuTensorMapEncodeTiled(void* map, int, unsigned rank, void* address, const uint64_t* sizes,
                           const uint64_t* strides, const uint32_t* box, const uint32_t*, int,
                           int swizzle, int, int) {
  return rank == 2 ? emu::encode_map(map, uint64_t(address), sizes, strides, box, swizzle)
                   : int(kInvalid);
}
API cuLaunchKernel(const emu::Kernel* kernel, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
                   unsigned by, unsigned bz, unsigned shared_bytes, emu::Stream* stream,
                   void** arguments, void** extra) {
  // A card's own limits.
  if (!kernel || extra || !gx || !gy || !gz || gy > 65535 || gz > 65535 || bx * by * bz > 1024 ||
      bx * by * bz % 32)
    return kInvalid;
  {
    std::lock_guard<std::mutex> lock(mutex);
    auto allowed = shared_allowed.find(kernel);
    int most = allowed == shared_allowed.end() ? 48 * 1024 : allowed->second;
    if (int(shared_bytes) > most) return kInvalid;
  }
  const char* failing = getenv("LN_EMU_FAIL");
  bool fails = failing && !strcmp(failing, kernel->name);
  auto run = [=, kept = kernel->keep(arguments)]() mutable {
    if (fails) return int(kIllegalAddress);
    std::vector<void*> pointers;
    for (std::vector<char>& value : kept) pointers.push_back(value.data());
    emu::launch(kernel, dim3(gx, gy, gz), dim3(bx, by, bz), shared_bytes, pointers.data());
    return int(kSuccess);
  };
  emu::enqueue(stream, std::move(run), {});
  return kSuccess;
}

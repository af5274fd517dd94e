// The functions of NVIDIA's driver library that we call, over host memory. Device `cuda-emu` is
// device `cuda` given this library, so launchers, memory and errors are the real ones.
//
// Environment: LN_EMU_MEMORY (bytes of a card, default 8 GiB), LN_EMU_DEVICES (default 1),
// LN_EMU_CAPABILITY (default 86), LN_EMU_DRIVER (default 12080), LN_EMU_CACHE (bytes of L2),
// LN_EMU_SEED (schedule, default 0), LN_EMU_FAIL (a kernel's name, or name:n: from its n-th launch
// on it fails as one that touches what it must not), LN_EMU_IDLE (kernels whose names begin so do
// nothing), LN_EMU_LOAD_FAIL (what cuModuleLoadData returns), LN_EMU_BUSY (the index of a card that
// another process has to itself), LN_EMU_RECORD (see record.h).
//
// Contexts are a card's: what needs one fails where none is current on the calling thread, where
// the current one is destroyed or of another card than the memory or stream it is used with. After
// a kernel's fault everything fails.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <map>
#include <mutex>

#include "cuda_emu.h"
#include "record.h"
#include "shadow.h"
#include "streams.h"

namespace {

enum {
  kSuccess = 0,
  kInvalid = 1,
  kOutOfMemory = 2,
  kNoDevice = 100,
  kInvalidDevice = 101,
  kBusy = 46,
  kNoContext = 201,
  kUnsupportedPtx = 222,
  kWrongHandle = 400,
  kNotFound = 500,
  kContextDestroyed = 709,
  kIllegalAddress = 700,
  kLaunchFailed = 719,
  kCaptureUnsupported = 900
};

struct Context {
  int holders = 0;  // destroyed without any
  size_t allocated = 0;
};
struct Piece {
  size_t bytes;
  Context* context;
};
typedef std::map<uintptr_t, Piece> Pieces;

std::mutex mutex;
Pieces allocations, pinned;
std::map<const emu::Kernel*, int> shared_allowed;
std::map<int, Context> primary;  // by card
thread_local Context* current;

long setting(const char* name, long otherwise) {
  const char* value = getenv(name);
  return value ? atol(value) : otherwise;
}

bool inside(const Pieces& pieces, uintptr_t p, size_t n) {
  std::lock_guard<std::mutex> lock(mutex);
  auto after = pieces.upper_bound(p);
  if (after == pieces.begin()) return false;
  --after;
  return p + n <= after->first + after->second.bytes && after->second.context == current;
}

int capability() { return int(setting("LN_EMU_CAPABILITY", 86)); }
// Dynamic shared memory of a block (CUDA C++ programming guide, "Compute capabilities").
int most_shared_bytes() {
  return (capability() == 80                                  ? 163
          : capability() / 10 == 8 || capability() / 10 == 12 ? 99
                                                              : 227)
         << 10;
}

// L2 of an H100, and of an RTX 3090.
long cache_bytes() { return capability() == 90 ? 50l << 20 : 6l << 20; }

size_t card_bytes() { return size_t(setting("LN_EMU_MEMORY", 8l << 30)); }

// Why nothing can be asked of a card on this thread.
int unready() {
  if (!current) return kNoContext;
  if (current->holders == 0) return kContextDestroyed;
  return emu::failure_so_far();
}
int unready(const emu::Stream* stream) {
  int code = unready();
  return code ? code : stream->context == current ? int(kSuccess) : int(kWrongHandle);
}

// The same, and whether memory may be had, given back or copied: not while a plan is captured.
int busy(const emu::Stream* stream) {
  int code = unready(stream);
  return code ? code : stream->capture ? int(kCaptureUnsupported) : int(kSuccess);
}

// Whether LN_EMU_IDLE begins a kernel's name.
bool is_idle(const char* kernel) {
  const char* idle = getenv("LN_EMU_IDLE");
  return idle && !strncmp(kernel, idle, strlen(idle));
}

// Whether LN_EMU_FAIL names this launch of a kernel.
bool fails(const char* kernel) {
  const char* failing = getenv("LN_EMU_FAIL");
  size_t length = strlen(kernel);
  if (!failing || strncmp(failing, kernel, length)) return false;
  static long launches;
  if (failing[length] == ':') return ++launches >= atol(failing + length + 1);
  return failing[length] == 0;
}

}  // namespace

#define API extern "C" __attribute__((visibility("default"))) int

API cuInit(unsigned) {
  emu::set_schedule(uint64_t(setting("LN_EMU_SEED", 0)));
  return setting("LN_EMU_DEVICES", 1) > 0 ? kSuccess : kNoDevice;
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
  if (index < 0 || index >= setting("LN_EMU_DEVICES", 1)) return kInvalidDevice;
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
  *value = attribute == 75   ? capability() / 10
           : attribute == 76 ? capability() % 10
           : attribute == 38 ? int(setting("LN_EMU_CACHE", cache_bytes()))
                             : 0;
  return kSuccess;
}
API cuDeviceGetPCIBusId(char* bus, int n, int device) {
  snprintf(bus, size_t(n), "0000:%02x:00.0", device);
  return kSuccess;
}
API cuDevicePrimaryCtxRetain(Context** context, int device) {
  if (setting("LN_EMU_BUSY", -1) == device) return kBusy;
  std::lock_guard<std::mutex> lock(mutex);
  *context = &primary[device];
  (*context)->holders++;
  return kSuccess;
}
API cuDevicePrimaryCtxRelease_v2(int device) {
  std::lock_guard<std::mutex> lock(mutex);
  return primary[device].holders-- > 0 ? kSuccess : kNoContext;
}
API cuCtxSetCurrent(Context* context) {
  current = context;
  return kSuccess;
}
API cuGetErrorString(int code, const char** text) {
  *text = code == kOutOfMemory          ? "out of memory"
          : code == kLaunchFailed       ? emu::first_fault()
          : code == kIllegalAddress     ? "an illegal memory access was encountered"
          : code == kCaptureUnsupported ? "operation not permitted when stream is capturing"
          : code == kNotFound           ? "named symbol not found"
          : code == kInvalid            ? "invalid argument"
          : code == kNoContext          ? "invalid device context"
          : code == kContextDestroyed   ? "context is destroyed"
          : code == kWrongHandle        ? "invalid resource handle"
          : code == kInvalidDevice      ? "invalid device ordinal"
          : code == kBusy               ? "CUDA-capable device(s) is/are busy or unavailable"
          : code == kUnsupportedPtx ? "the provided PTX was compiled with an unsupported toolchain."
                                    : "no CUDA-capable device is detected";
  return kSuccess;
}
API cuMemGetInfo_v2(size_t* free_bytes, size_t* total) {
  if (int code = unready()) return code;
  *total = card_bytes();
  *free_bytes = *total - current->allocated;
  return kSuccess;
}
API cuMemAlloc_v2(uintptr_t* p, size_t n) {
  if (int code = unready()) return code;
  if (n == 0) return kInvalid;
  std::lock_guard<std::mutex> lock(mutex);
  if (n > card_bytes() - current->allocated) return kOutOfMemory;
  void* memory = emu::recording() ? emu::reserve(n) : emu::shadow_allocate(n);
  if (!memory) return kOutOfMemory;
  if (!emu::recording()) memset(memory, 0xff, n);  // a card's memory holds anything; NaN shows
  *p = uintptr_t(memory);
  allocations[*p] = {n, current};
  current->allocated += n;
  return kSuccess;
}
API cuMemFree_v2(uintptr_t p) {
  if (int code = unready()) return code;
  emu::wait_for_all();
  std::lock_guard<std::mutex> lock(mutex);
  auto found = allocations.find(p);
  if (found == allocations.end()) return kInvalid;
  found->second.context->allocated -= found->second.bytes;
  void* memory = reinterpret_cast<void*>(p);
  bool given_back = emu::recording() ? emu::give_up(memory, found->second.bytes)
                                     : emu::shadow_free(memory, found->second.bytes);
  allocations.erase(found);
  return given_back ? kSuccess : kInvalid;
}
// Pinned memory is read when the copy runs, pageable memory when it is asked for.
API cuMemHostAlloc(void** p, size_t n, unsigned) {
  if (int code = unready()) return code;
  std::lock_guard<std::mutex> lock(mutex);
  *p = aligned_alloc(4096, (n + 4095) / 4096 * 4096);
  if (!*p) return kOutOfMemory;
  pinned[uintptr_t(*p)] = {n, current};
  return kSuccess;
}
API cuMemFreeHost(void* p) {
  if (int code = unready()) return code;
  std::lock_guard<std::mutex> lock(mutex);
  if (!pinned.erase(uintptr_t(p))) return kInvalid;
  free(p);
  return kSuccess;
}
API cuMemcpyHtoDAsync_v2(uintptr_t to, const void* from, size_t n, emu::Stream* stream) {
  if (int code = busy(stream)) return code;
  if (!inside(allocations, to, n)) return kInvalid;
  if (emu::recording()) return kSuccess;
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
  if (int code = busy(stream)) return code;
  if (!inside(allocations, from, n)) return kInvalid;
  if (emu::recording()) return memset(to, 0, n), int(kSuccess);
  auto run = [=] { return memcpy(to, reinterpret_cast<void*>(from), n), int(kSuccess); };
  emu::enqueue(stream, run, {{from, from + n, false}});
  return kSuccess;
}
API cuMemcpyDtoDAsync_v2(uintptr_t to, uintptr_t from, size_t n, emu::Stream* stream) {
  if (int code = busy(stream)) return code;
  if (!inside(allocations, to, n) || !inside(allocations, from, n)) return kInvalid;
  if (emu::recording()) return kSuccess;
  auto run = [=] {
    return memmove(reinterpret_cast<void*>(to), reinterpret_cast<void*>(from), n), int(kSuccess);
  };
  emu::enqueue(stream, run, {{to, to + n, true}, {from, from + n, false}});
  return kSuccess;
}
API cuMemsetD8Async(uintptr_t to, unsigned char value, size_t n, emu::Stream* stream) {
  if (int code = unready(stream)) return code;
  if (!inside(allocations, to, n)) return kInvalid;
  if (emu::recording()) return kSuccess;
  auto run = [=] { return memset(reinterpret_cast<void*>(to), value, n), int(kSuccess); };
  emu::enqueue(stream, run, {{to, to + n, true}});
  return kSuccess;
}
API cuStreamCreate(emu::Stream** stream, unsigned) {
  if (int code = unready()) return code;
  *stream = emu::stream_create();
  (*stream)->context = current;
  return kSuccess;
}
API cuStreamDestroy_v2(emu::Stream* stream) {
  if (int code = unready(stream)) return code;
  emu::stream_destroy(stream);
  return kSuccess;
}
API cuStreamSynchronize(emu::Stream* stream) {
  if (int code = busy(stream)) return code;
  if (emu::recording()) emu::record_wait();
  return emu::wait_for(stream);
}
API cuStreamWaitEvent(emu::Stream* stream, const emu::Event* event, unsigned) {
  if (int code = unready(stream)) return code;
  emu::wait_event(stream, event);
  return kSuccess;
}
API cuEventCreate(emu::Event** event, unsigned) {
  if (int code = unready()) return code;
  *event = new emu::Event;
  return kSuccess;
}
API cuEventDestroy_v2(emu::Event* event) {
  if (int code = unready()) return code;
  delete event;
  return kSuccess;
}
API cuEventRecord(emu::Event* event, emu::Stream* stream) {
  if (int code = unready(stream)) return code;
  emu::record(event, stream);
  return kSuccess;
}
API cuEventSynchronize(const emu::Event* event) {
  int code = unready();
  return code ? code : emu::wait_for(event);
}
API cuStreamBeginCapture_v2(emu::Stream* stream, int) {
  if (int code = unready(stream)) return code;
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
  if (int code = unready(stream)) return code;
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
  if (int code = unready()) return code;
  if (int code = int(setting("LN_EMU_LOAD_FAIL", 0))) return code;
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
  return emu::encode_map(map, rank, uint64_t(address), sizes, strides, box, swizzle);
}
API cuTensorMapEncodeIm2col(void* map, int, unsigned rank, void* address, const uint64_t* sizes,
                            const uint64_t* strides, const int* lower, const int* upper,
                            uint32_t channels, uint32_t pixels, const uint32_t* every, int,
                            int swizzle, int, int) {
  return emu::encode_patch_map(map, rank, uint64_t(address), sizes, strides, lower, upper, channels,
                               pixels, every, swizzle);
}
API cuLaunchKernel(const emu::Kernel* kernel, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
                   unsigned by, unsigned bz, unsigned shared_bytes, emu::Stream* stream,
                   void** arguments, void** extra) {
  if (int code = unready(stream)) return code;
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
  if (emu::recording()) {
    auto allocated = [](uintptr_t p) { return inside(allocations, p, 1); };
    std::string wrong = emu::wrong_argument(kernel, arguments, allocated);
    if (!wrong.empty()) {
      emu::report("%s", wrong.c_str());
      return kLaunchFailed;
    }
    emu::record_launch(kernel, dim3(gx, gy, gz), bx, shared_bytes, stream->capture != nullptr);
    return kSuccess;
  }
  auto run = [=, kept = kernel->keep(arguments)]() mutable {
    if (fails(kernel->name)) return int(kIllegalAddress);
    if (is_idle(kernel->name)) return int(kSuccess);
    std::vector<void*> pointers;
    for (std::vector<char>& value : kept) pointers.push_back(value.data());
    emu::launch(kernel, dim3(gx, gy, gz), dim3(bx, by, bz), shared_bytes, pointers.data());
    return int(kSuccess);
  };
  emu::enqueue(stream, std::move(run), {});
  return kSuccess;
}

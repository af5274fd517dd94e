#include "cuda/driver.h"

#include <stdio.h>

#include <map>
#include <mutex>

#include "lora_ops.h"
#include "platform/platform.h"

namespace ln {

namespace cuda {
extern const Ops table;  // cuda/ops/table.cpp
}

namespace {

constexpr int kNotFound = 500, kCapabilityMajor = 75, kCapabilityMinor = 76, kCacheBytes = 38;
constexpr int kFirstOfKernels = 700, kLastOfKernels = 719;  // what a kernel did wrong
constexpr int kTooManyResources = 701;                      // a launch that did not happen
constexpr int kMostDynamicSharedBytes = 8;  // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
constexpr unsigned kSharedBytesUnasked = 48 * 1024;
constexpr unsigned kNonBlocking = 1, kNoTiming = 2;
constexpr int kLeastDriver = 12000;  // cubins of CUDA 12 load on every driver since 525

bool bind_all(void* l, Driver* d) {
  using platform::bind;
  return bind(l, "cuInit", &d->init) && bind(l, "cuDriverGetVersion", &d->version) &&
         bind(l, "cuDeviceGetCount", &d->device_count) && bind(l, "cuDeviceGet", &d->device_get) &&
         bind(l, "cuDeviceGetName", &d->device_name) &&
         bind(l, "cuDeviceTotalMem_v2", &d->device_total) &&
         bind(l, "cuDeviceGetAttribute", &d->device_attribute) &&
         bind(l, "cuDeviceGetPCIBusId", &d->device_bus) &&
         bind(l, "cuDevicePrimaryCtxRetain", &d->context_retain) &&
         bind(l, "cuCtxSetCurrent", &d->context_set) &&
         bind(l, "cuGetErrorString", &d->error_string) &&
         bind(l, "cuMemGetInfo_v2", &d->memory_info) && bind(l, "cuMemAlloc_v2", &d->allocate) &&
         bind(l, "cuMemFree_v2", &d->free) && bind(l, "cuMemHostAlloc", &d->host_allocate) &&
         bind(l, "cuMemFreeHost", &d->host_free) && bind(l, "cuMemcpyHtoDAsync_v2", &d->upload) &&
         bind(l, "cuMemcpyDtoHAsync_v2", &d->download) &&
         bind(l, "cuMemcpyDtoDAsync_v2", &d->copy) && bind(l, "cuMemsetD8Async", &d->fill) &&
         bind(l, "cuStreamCreate", &d->stream_create) &&
         bind(l, "cuStreamDestroy_v2", &d->stream_destroy) &&
         bind(l, "cuStreamSynchronize", &d->stream_wait) &&
         bind(l, "cuStreamWaitEvent", &d->stream_wait_event) &&
         bind(l, "cuEventCreate", &d->event_create) &&
         bind(l, "cuEventDestroy_v2", &d->event_destroy) &&
         bind(l, "cuEventRecord", &d->event_record) &&
         bind(l, "cuEventSynchronize", &d->event_wait) &&
         bind(l, "cuStreamBeginCapture_v2", &d->capture_begin) &&
         bind(l, "cuStreamEndCapture", &d->capture_end) &&
         bind(l, "cuGraphInstantiateWithFlags", &d->graph_instantiate) &&
         bind(l, "cuGraphLaunch", &d->graph_launch) &&
         bind(l, "cuGraphDestroy", &d->graph_destroy) &&
         bind(l, "cuGraphExecDestroy", &d->graph_instance_destroy) &&
         bind(l, "cuModuleLoadData", &d->module_load) &&
         bind(l, "cuModuleUnload", &d->module_unload) &&
         bind(l, "cuModuleGetFunction", &d->module_function) &&
         bind(l, "cuFuncSetAttribute", &d->function_attribute) &&
         bind(l, "cuTensorMapEncodeTiled", &d->tensor_map) &&
         bind(l, "cuTensorMapEncodeIm2col", &d->patch_map) && bind(l, "cuLaunchKernel", &d->launch);
}

const char* text(const Driver* d, int code) {
  const char* t = nullptr;
  return d->error_string(code, &t) == 0 && t ? t : "unknown error";
}

// Opens a driver library once; null and a sentence if it is missing or too old.
const Driver* open_driver(const char* path) {
  static std::mutex mutex;
  static std::map<std::string, Driver> opened;
  std::lock_guard<std::mutex> lock(mutex);
  auto known = opened.find(path);
  if (known != opened.end()) return &known->second;
  void* library = platform::open_library(path);
  if (!library) {
    fail(LN_UNSUPPORTED, "NVIDIA's driver library %s is not there: install the driver", path);
    return nullptr;
  }
  Driver d;
  if (!bind_all(library, &d)) {
    fail(LN_UNSUPPORTED, "NVIDIA's driver library %s is too old: update the driver", path);
    return nullptr;
  }
  if (int code = d.init(0)) {
    fail(LN_UNSUPPORTED, "NVIDIA's driver found no usable card: %s", text(&d, code));
    return nullptr;
  }
  int version = 0;
  d.version(&version);
  if (version < kLeastDriver) {
    fail(LN_UNSUPPORTED, "NVIDIA's driver is for CUDA %d.%d; 12.0 (driver 525) or newer is needed",
         version / 1000, version % 1000 / 10);
    return nullptr;
  }
  return &opened.emplace(path, d).first->second;
}

// A card's primary context, retained when it is first opened and kept for the process's life:
// making one takes a third of a second, and one given back is destroyed under threads that have it
// current.
int context_of(const Driver* d, int card, void** context) {
  static std::mutex mutex;
  static std::map<std::pair<const Driver*, int>, void*> retained;
  std::lock_guard<std::mutex> lock(mutex);
  void*& known = retained[{d, card}];
  int code = known ? 0 : d->context_retain(&known, card);
  *context = known;
  return code;
}

}  // namespace

Device* entered(int64_t handle) {
  Device* device = of(handle);
  if (device->cuda) device->cuda->driver->context_set(device->cuda->context);
  return device;
}

int cuda_check(const Device* device, int code, const char* what) {
  if (code == 0) return LN_OK;
  CudaState& cuda = *device->cuda;
  bool lost = code >= kFirstOfKernels && code <= kLastOfKernels && code != kTooManyResources;
  const char* advice = lost && !cuda.watched && !cuda.lost
                           ? "; java -Dloranative.sync=true -jar ... names the kernel"
                           : "";
  cuda.lost = cuda.lost || lost;
  return fail(code == kCudaOutOfMemory ? LN_OUT_OF_MEMORY : LN_FAILED, "%s: %s%s", what,
              text(cuda.driver, code), advice);
}

int cuda_check_freed(const Device* device, int code, const char* what) {
  return device->cuda->lost ? int(LN_OK) : cuda_check(device, code, what);
}

int cuda_launch(Device* device, const char* kernel, Grid grid, unsigned threads,
                unsigned shared_bytes, void** arguments) {
  if (grid.x == 0 || grid.y == 0) return LN_OK;
  CudaState& cuda = *device->cuda;
  void*& function = cuda.functions[kernel];
  for (size_t i = 0; !function && i < cuda.modules.size(); i++) {
    int code = cuda.driver->module_function(&function, cuda.modules[i], kernel);
    if (code && code != kNotFound) return cuda_check(device, code, kernel);
    if (code) function = nullptr;
  }
  if (!function) return fail(LN_UNSUPPORTED, "the kernel %s is not in the jar", kernel);
  int code = 0;
  if (shared_bytes > kSharedBytesUnasked)
    code = cuda.driver->function_attribute(function, kMostDynamicSharedBytes, int(shared_bytes));
  if (!code)
    code = cuda.driver->launch(function, unsigned(grid.x), unsigned(grid.y), unsigned(grid.z),
                               threads, 1, 1, shared_bytes, cuda.stream, arguments, nullptr);
  if (!code && cuda.watched) code = cuda.driver->stream_wait(cuda.stream);
  return code ? cuda_check(device, code, ("the kernel " + std::string(kernel) + " failed").c_str())
              : int(LN_OK);
}

int cuda_prepare(Device* device) {
  CudaState& cuda = *device->cuda;
  const Driver& d = *cuda.driver;
  int code = d.stream_create(&cuda.stream, kNonBlocking);
  if (!code) code = d.stream_create(&cuda.beside, kNonBlocking);
  if (!code) code = d.event_create(&cuda.joined, kNoTiming);
  if (!code) code = d.allocate(&cuda.workspace, size_t(kCudaWorkspaceBytes));
  for (int i = 0; i < 2; i++) {
    void* memory = nullptr;
    if (!code) code = d.host_allocate(&memory, Staging::kBytes, 0);
    cuda.staging.memory[i] = static_cast<char*>(memory);
    if (!code) code = d.event_create(&cuda.staging.copied[i], kNoTiming);
  }
  return cuda_check(device, code, "the card cannot be prepared");
}

int cuda_release(Device* device) {
  CudaState& cuda = *device->cuda;
  const Driver& d = *cuda.driver;
  int code = cuda.stream ? d.stream_wait(cuda.stream) : 0;
  auto also = [&code](int other) { code = code ? code : other; };
  for (int i = 0; i < 2; i++) {
    if (cuda.staging.copied[i]) also(d.event_destroy(cuda.staging.copied[i]));
    if (cuda.staging.memory[i]) also(d.host_free(cuda.staging.memory[i]));
  }
  if (cuda.workspace) also(d.free(cuda.workspace));
  if (cuda.joined) also(d.event_destroy(cuda.joined));
  if (cuda.beside) also(d.stream_destroy(cuda.beside));
  if (cuda.stream) also(d.stream_destroy(cuda.stream));
  for (void* module : cuda.modules) also(d.module_unload(module));
  int status = cuda_check_freed(device, code, "the card cannot be given back");
  int host = cuda.host->ops->ln_device_close(reinterpret_cast<int64_t>(cuda.host));
  delete device->cuda;
  delete device;
  return status ? status : host;
}

}  // namespace ln

using namespace ln;

int ln_cuda_count(const char* library, int32_t* count) {
  const Driver* driver = open_driver(library);
  if (!driver) return LN_UNSUPPORTED;
  int n = 0;
  driver->device_count(&n);
  *count = n;
  return n > 0 ? LN_OK : fail(LN_UNSUPPORTED, "NVIDIA's driver sees no card");
}

int ln_cuda_info(const char* library, int32_t index, char* name, int32_t name_bytes,
                 int64_t* total_bytes, int32_t* capability, int32_t* version) {
  const Driver* driver = open_driver(library);
  if (!driver) return LN_UNSUPPORTED;
  int device, major, minor;
  size_t total;
  int code = driver->device_get(&device, index);
  if (!code) code = driver->device_name(name, name_bytes, device);
  if (!code) code = driver->device_total(&total, device);
  if (!code) code = driver->device_attribute(&major, kCapabilityMajor, device);
  if (!code) code = driver->device_attribute(&minor, kCapabilityMinor, device);
  if (!code) code = driver->version(version);
  if (code) return fail(LN_FAILED, "card %d does not answer: %s", index, text(driver, code));
  *total_bytes = int64_t(total);
  *capability = major * 10 + minor;
  return LN_OK;
}

int ln_cuda_open(const char* library, int32_t index, int64_t* device) {
  const Driver* driver = open_driver(library);
  if (!driver) return LN_UNSUPPORTED;
  int card, major = 0, minor = 0, cache = 0;
  void* context;
  int code = driver->device_get(&card, index);
  if (!code) code = driver->device_attribute(&major, kCapabilityMajor, card);
  if (!code) code = driver->device_attribute(&minor, kCapabilityMinor, card);
  if (!code) code = driver->device_attribute(&cache, kCacheBytes, card);
  if (!code) code = context_of(driver, card, &context);
  if (!code) code = driver->context_set(context);
  if (code) return fail(LN_FAILED, "card %d cannot be opened: %s", index, text(driver, code));
  int64_t host;
  if (int status = ln_cpu_open(ln_cpu_physical_cores(), &host)) return status;
  CudaState* state = new CudaState;
  state->driver = driver;
  state->context = context;
  if (driver->device_bus(state->bus, sizeof state->bus, card)) state->bus[0] = 0;
  state->capability = major * 10 + minor;
  state->cache_bytes = cache;
  state->warpgroups = state->capability == 90;
  state->host = of(host);
  Device* opened = new Device{&cuda::table, cuda_gemm, cuda_gemm_scratch, 1, nullptr, state};
  if (int status = cuda_prepare(opened)) {
    char sentence[512];  // releasing may say something of its own
    snprintf(sentence, sizeof sentence, "%s", ln_last_error());
    cuda_release(opened);
    return fail(status, "%s", sentence);
  }
  *device = reinterpret_cast<int64_t>(opened);
  return LN_OK;
}

int ln_cuda_free_bytes(int64_t device, int64_t* free_bytes) {
  const Device* card = entered(device);
  size_t available = 0, total = 0;
  int code = card->cuda->driver->memory_info(&available, &total);
  *free_bytes = int64_t(available);
  return cuda_check(card, code, "the card's free memory is not known");
}

int ln_cuda_leave_warpgroups(int64_t device, int32_t* left) {
  CudaState& cuda = *of(device)->cuda;
  *left = cuda.warpgroups;
  cuda.warpgroups = false;
  return LN_OK;
}

int ln_cuda_load_module(int64_t device, int64_t image) {
  CudaState& cuda = *entered(device)->cuda;
  void* module;
  int code = cuda.driver->module_load(&module, ptr<void>(image));
  if (code) return cuda_check(of(device), code, "kernels cannot be loaded");
  cuda.modules.push_back(module);
  return LN_OK;
}

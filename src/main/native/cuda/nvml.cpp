// What NVIDIA's management library (NVML, part of every driver) says of a card. It is opened by
// name like the driver's library; what a card does not tell is NaN.
#include <math.h>

#include "cuda/driver.h"
#include "lora_ops.h"
#include "platform/platform.h"
#include "sensors.h"

namespace ln {
namespace {

// nvml.h, which is not needed to build.
typedef void* Card;
struct Utilization {
  unsigned gpu, memory;
};
struct MemoryInfo {
  unsigned long long total, free, used;
};
struct Process {
  unsigned pid;
  unsigned long long used_bytes;
  unsigned instance, compute_instance;
};
constexpr int kCelsius = 0, kMultiprocessorClock = 1, kMemoryClock = 2, kSent = 0, kReceived = 1;
constexpr unsigned kMostProcesses = 64;

struct Nvml {
  void* library;

  // Whether function `name` is there and says 0.
  template <typename... A>
  bool ask(const char* name, A... arguments) const {
    int (*function)(A...);
    return platform::bind(library, name, &function) && function(arguments...) == 0;
  }

  // A number that a function gives, times a factor.
  template <typename T, typename... A>
  double number(double factor, const char* name, A... arguments) const {
    T value = 0;
    return ask(name, arguments..., &value) ? factor * double(value) : NAN;
  }

  // Bytes that this process holds. A container may know it under another number than the library
  // does: then it is the only one, or not known.
  double ours(Card card) const {
    Process processes[kMostProcesses];
    unsigned count = kMostProcesses;
    if (!ask("nvmlDeviceGetComputeRunningProcesses_v3", card, &count, &processes[0])) return NAN;
    for (unsigned i = 0; i < count; i++)
      if (processes[i].pid == platform::process_id()) return double(processes[i].used_bytes);
    return count == 1 ? double(processes[0].used_bytes) : NAN;
  }
};

// Opened once and kept; null if it is not there.
const Nvml* open_nvml(const char* path) {
  static const Nvml* opened = [path]() -> const Nvml* {
    void* library = platform::open_library(path);
    if (!library) return nullptr;
    static Nvml nvml{library};
    return nvml.ask("nvmlInit_v2") ? &nvml : nullptr;
  }();
  return opened;
}

}  // namespace
}  // namespace ln

using namespace ln;

int ln_cuda_sensors(int64_t device, const char* library, double* values) {
  const Nvml* nvml = open_nvml(library);
  if (!nvml) return fail(LN_UNSUPPORTED, "NVIDIA's management library %s is not there", library);
  Card card;
  const char* bus = of(device)->cuda->bus;
  if (!nvml->ask("nvmlDeviceGetHandleByPciBusId_v2", bus, &card))
    return fail(LN_FAILED, "NVIDIA's management library does not know the card %s", bus);
  Utilization busy;
  MemoryInfo memory;
  bool has_busy = nvml->ask("nvmlDeviceGetUtilizationRates", card, &busy);
  bool has_memory = nvml->ask("nvmlDeviceGetMemoryInfo", card, &memory);
  values[LN_SENSOR_UTILIZATION] = has_busy ? busy.gpu : NAN;
  values[LN_SENSOR_MEMORY_USED] = has_memory ? double(memory.used) : NAN;
  values[LN_SENSOR_MEMORY_OURS] = nvml->ours(card);
  values[LN_SENSOR_TEMPERATURE] =
      nvml->number<unsigned>(1, "nvmlDeviceGetTemperature", card, kCelsius);
  values[LN_SENSOR_POWER] = nvml->number<unsigned>(1e-3, "nvmlDeviceGetPowerUsage", card);
  values[LN_SENSOR_CLOCK] =
      nvml->number<unsigned>(1, "nvmlDeviceGetClockInfo", card, kMultiprocessorClock);
  values[LN_SENSOR_MEMORY_CLOCK] =
      nvml->number<unsigned>(1, "nvmlDeviceGetClockInfo", card, kMemoryClock);
  values[LN_SENSOR_THROTTLE] =
      nvml->number<unsigned long long>(1, "nvmlDeviceGetCurrentClocksThrottleReasons", card);
  values[LN_SENSOR_PCIE_SENT] =
      nvml->number<unsigned>(1e3, "nvmlDeviceGetPcieThroughput", card, kSent);
  values[LN_SENSOR_PCIE_RECEIVED] =
      nvml->number<unsigned>(1e3, "nvmlDeviceGetPcieThroughput", card, kReceived);
  return LN_OK;
}

// The functions of NVIDIA's management library that we call, of an emulated card.
//
// Environment: LN_EMU_TEMPERATURE (degrees, default 60), LN_EMU_THROTTLE (reasons, default 0),
// LN_EMU_OTHERS (bytes that another process holds, default 0).
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

namespace {

struct Process {
  unsigned pid;
  unsigned long long used_bytes;
  unsigned instance, compute_instance;
};
constexpr unsigned long long kOurs = 1ull << 30;

long setting(const char* name, long otherwise) {
  const char* value = getenv(name);
  return value ? atol(value) : otherwise;
}

}  // namespace

#define API extern "C" __attribute__((visibility("default"))) int

API nvmlInit_v2() { return 0; }
API nvmlDeviceGetHandleByPciBusId_v2(const char* bus, void** card) {
  unsigned number;
  *card = reinterpret_cast<void*>(1);
  return sscanf(bus, "0000:%x:00.0", &number) == 1 ? 0 : 6;  // NVML_ERROR_NOT_FOUND
}
API nvmlDeviceGetUtilizationRates(void*, unsigned* gpu_and_memory) {
  gpu_and_memory[0] = 97;
  gpu_and_memory[1] = 40;
  return 0;
}
API nvmlDeviceGetMemoryInfo(void*, unsigned long long* total_free_used) {
  total_free_used[0] = 8ull << 30;
  total_free_used[2] = kOurs + (unsigned long long)setting("LN_EMU_OTHERS", 0);
  total_free_used[1] = total_free_used[0] - total_free_used[2];
  return 0;
}
API nvmlDeviceGetComputeRunningProcesses_v3(void*, unsigned* count, Process* processes) {
  processes[0] = {1, (unsigned long long)setting("LN_EMU_OTHERS", 0), 0, 0};
  processes[1] = {unsigned(getpid()), kOurs, 0, 0};
  *count = 2;
  return 0;
}
API nvmlDeviceGetTemperature(void*, int, unsigned* degrees) {
  *degrees = unsigned(setting("LN_EMU_TEMPERATURE", 60));
  return 0;
}
API nvmlDeviceGetPowerUsage(void*, unsigned* milliwatts) {
  *milliwatts = 285000;
  return 0;
}
API nvmlDeviceGetClockInfo(void*, int type, unsigned* mhz) {
  *mhz = type == 1 ? 1980 : 10501;
  return 0;
}
API nvmlDeviceGetCurrentClocksThrottleReasons(void*, unsigned long long* reasons) {
  *reasons = (unsigned long long)setting("LN_EMU_THROTTLE", 0);
  return 0;
}
API nvmlDeviceGetPcieThroughput(void*, int, unsigned* kilobytes_per_second) {
  *kilobytes_per_second = 250000;
  return 0;
}

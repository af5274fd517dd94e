// What a machine says of its own state.
#pragma once
#include <stdint.h>

// What an open card's state is now, by NVIDIA's management library of that name or path: values
// [LN_SENSORS], NaN where it does not say. LN_UNSUPPORTED if there is no such library.
enum {
  LN_SENSOR_UTILIZATION,    // percent of the time in which a kernel ran
  LN_SENSOR_MEMORY_USED,    // bytes, by all processes
  LN_SENSOR_MEMORY_OURS,    // bytes, by this one
  LN_SENSOR_TEMPERATURE,    // degrees Celsius
  LN_SENSOR_POWER,          // watts
  LN_SENSOR_CLOCK,          // MHz, of the multiprocessors
  LN_SENSOR_MEMORY_CLOCK,   // MHz
  LN_SENSOR_THROTTLE,       // nvmlClocksThrottleReasons, bits
  LN_SENSOR_PCIE_SENT,      // bytes a second
  LN_SENSOR_PCIE_RECEIVED,  // bytes a second
  LN_SENSORS
};
int ln_cuda_sensors(int64_t device, const char* library, double* values);

package org.loranative.device;

import java.util.LinkedHashMap;
import java.util.Map;

/** What NVIDIA's management library, which comes with every driver, says of a card. */
final class CardSensors {
  /** NVIDIA's management library. */
  static final String LIBRARY = "libnvidia-ml.so.1";

  /**
   * Reasons for a lower clock (nvmlClocksThrottleReasons): heat, in the software's or hardware's
   * view.
   */
  private static final long HEAT = 0x20 | 0x40;

  /** Too much power: the limit that is set, a slowdown by the hardware, a brake from outside. */
  private static final long POWER = 0x04 | 0x08 | 0x80;

  private CardSensors() {}

  /** Readings by TensorBoard tag; what the card does not say is left out. */
  static Map<String, Double> read(long handle, String library) {
    double[] values = new double[LoraOps.LN_SENSORS];
    if (LoraOps.ln_cuda_sensors(handle, library, values) != LoraOps.LN_OK) {
      return Map.of();
    }
    double used = values[LoraOps.LN_SENSOR_MEMORY_USED];
    double throttle = values[LoraOps.LN_SENSOR_THROTTLE];
    Map<String, Double> readings = new LinkedHashMap<>();
    readings.put("gpu/utilization_percent", values[LoraOps.LN_SENSOR_UTILIZATION]);
    readings.put("gpu/memory_gb", used / 1e9);
    // Where the system and not the driver manages memory (WSL), ours is said to be 2^64 - 1.
    double others = used - values[LoraOps.LN_SENSOR_MEMORY_OURS];
    readings.put("gpu/memory_of_others_gb", others < 0 ? Double.NaN : others / 1e9);
    readings.put("gpu/temperature_c", values[LoraOps.LN_SENSOR_TEMPERATURE]);
    readings.put("gpu/power_w", values[LoraOps.LN_SENSOR_POWER]);
    readings.put("gpu/clock_mhz", values[LoraOps.LN_SENSOR_CLOCK]);
    readings.put("gpu/memory_clock_mhz", values[LoraOps.LN_SENSOR_MEMORY_CLOCK]);
    readings.put("gpu/throttled_by_heat", among(throttle, HEAT));
    readings.put("gpu/throttled_by_power", among(throttle, POWER));
    readings.put("gpu/pcie_sent_gb_per_s", values[LoraOps.LN_SENSOR_PCIE_SENT] / 1e9);
    readings.put("gpu/pcie_received_gb_per_s", values[LoraOps.LN_SENSOR_PCIE_RECEIVED] / 1e9);
    readings.values().removeIf(v -> Double.isNaN(v));
    return readings;
  }

  private static double among(double throttle, long reasons) {
    return Double.isNaN(throttle) ? throttle : ((long) throttle & reasons) == 0 ? 0 : 1;
  }
}

package org.loranative.device;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** What Linux says of the machine's CPU. */
final class HostSensors {
  private static final Path CPUS = Path.of("/sys/devices/system/cpu");

  private long throttled = throttled();

  /** Readings by TensorBoard tag; what the system does not say is left out. */
  Map<String, Double> read(long freeBytes) {
    Map<String, Double> readings = new LinkedHashMap<>();
    double load = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getCpuLoad();
    if (load >= 0) {
      readings.put("cpu/load_percent", 100 * load);
    }
    readings.put("cpu/memory_free_gb", freeBytes / 1e9);
    long now = throttled();
    if (now >= 0) {
      readings.put("cpu/throttled_by_heat", now > throttled ? 1.0 : 0.0);
      throttled = now;
    }
    return readings;
  }

  /** How often cores were slowed down for heat since the machine started; −1 if it is not told. */
  private static long throttled() {
    long total = -1;
    try (DirectoryStream<Path> cores = Files.newDirectoryStream(CPUS, "cpu[0-9]*")) {
      for (Path core : cores) {
        Path count = core.resolve("thermal_throttle/core_throttle_count");
        if (Files.isReadable(count)) {
          total = Math.max(total, 0) + Long.parseLong(Files.readString(count).strip());
        }
      }
    } catch (IOException e) {
      return -1;
    }
    return total;
  }
}

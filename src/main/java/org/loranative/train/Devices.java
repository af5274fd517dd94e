package org.loranative.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.loranative.UserException;
import org.loranative.device.CpuDevice;
import org.loranative.device.Device;
import org.loranative.io.DType;

/** Chooses the device that a configuration asks for. */
public final class Devices {
  private Devices() {}

  /**
   * @param name {@code auto} or {@code cpu}
   * @param threads 0 for one for each physical core
   */
  public static Device open(String name, int threads) {
    assert name.equals("auto") || name.equals("cpu") : name;
    return new CpuDevice(threads > 0 ? threads : CpuDevice.physicalCores());
  }

  /**
   * @param name {@code f32} or {@code bf16}
   */
  public static DType compute(String name) {
    if (name.equals("bf16") && !CpuDevice.hasBf16()) {
      throw new UserException(
          "compute_dtype: bf16 needs a CPU with AVX-512 BF16 or AMX, which this one lacks; use"
              + " compute_dtype: f32.");
    }
    return name.equals("bf16") ? DType.BF16 : DType.F32;
  }

  /** Memory that can be had without swapping, in bytes (Linux's MemAvailable). */
  static long freeMemory() {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
        if (line.startsWith("MemAvailable:")) {
          return Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024;
        }
      }
    } catch (IOException e) {
      // not Linux: no limit is known
    }
    return Long.MAX_VALUE / 2;
  }
}

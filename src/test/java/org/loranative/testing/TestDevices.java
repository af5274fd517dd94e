package org.loranative.testing;

import java.nio.file.Path;
import java.util.List;
import org.loranative.device.CpuDevice;
import org.loranative.device.CudaDevice;
import org.loranative.device.Device;

/**
 * The devices that every op and model is tested on: the CPU, and the CUDA kernels in the emulator.
 */
public final class TestDevices {
  public static final List<String> NAMES = List.of("cpu", "cuda-emu", "cuda-check");

  private TestDevices() {}

  public static String emulator() {
    return library("libcuda_emu.so");
  }

  private static String library(String name) {
    return Path.of("target/native").resolve(name).toAbsolutePath().toString();
  }

  public static Device open(String name) {
    return switch (name) {
      case "cpu" -> new CpuDevice(2);
      case "cuda-emu" -> new CudaDevice(name, emulator());
      default -> new CudaDevice(name, library("libcuda_emu_check.so"));
    };
  }
}

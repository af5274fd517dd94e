package org.loranative.testing;

import java.nio.file.Path;
import java.util.List;
import org.loranative.device.CpuDevice;
import org.loranative.device.CudaDevice;
import org.loranative.device.Device;

/**
 * The devices that every op and model is tested on: the CPU, and the CUDA kernels in the emulator
 * that the environment names, as it is and built with its checks. Where the environment names
 * NVIDIA's driver instead, {@code cuda-emu} is a real card ({@code benchmarks/gpu_check}). {@code
 * -Dtests.devices=cpu} takes some of them alone.
 */
public final class TestDevices {
  private static final String LIBRARY =
      System.getenv()
          .getOrDefault(
              CudaDevice.EMULATOR,
              Path.of("target/native/libcuda_emu.so").toAbsolutePath().toString());
  private static final boolean EMULATED = LIBRARY.endsWith("_emu.so");

  public static final List<String> NAMES = chosen();

  private TestDevices() {}

  private static List<String> chosen() {
    String some = System.getProperty("tests.devices", "");
    if (!some.isBlank()) {
      return List.of(some.split(","));
    }
    return EMULATED ? List.of("cpu", "cuda-emu", "cuda-check") : List.of("cuda-emu");
  }

  /** The same, for {@code @MethodSource}. */
  public static List<String> names() {
    return NAMES;
  }

  /** The library of {@code cuda-emu}. */
  public static String emulator() {
    return LIBRARY;
  }

  public static Device open(String name) {
    return switch (name) {
      case "cpu" -> new CpuDevice(2);
      case "cuda-emu" -> new CudaDevice(name, LIBRARY);
      default ->
          new CudaDevice(name, EMULATED ? LIBRARY.replace("_emu.so", "_emu_check.so") : LIBRARY);
    };
  }
}

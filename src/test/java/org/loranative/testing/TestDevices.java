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

  /**
   * Those that whole models are tested on: every op and shape has passed the checks of {@code
   * cuda-check} by itself, and a model there takes minutes. CI asks for it by name.
   */
  public static final List<String> MODELS =
      isAsked() ? NAMES : NAMES.stream().filter(n -> !n.equals("cuda-check")).toList();

  private TestDevices() {}

  private static boolean isAsked() {
    return !System.getProperty("tests.devices", "").isBlank();
  }

  private static List<String> chosen() {
    if (isAsked()) {
      return List.of(System.getProperty("tests.devices").split(","));
    }
    return EMULATED ? List.of("cpu", "cuda-emu", "cuda-check") : List.of("cuda-emu");
  }

  /** The same, for {@code @MethodSource}. */
  public static List<String> names() {
    return NAMES;
  }

  /** {@link #MODELS}, for {@code @MethodSource}. */
  public static List<String> models() {
    return MODELS;
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

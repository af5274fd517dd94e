package org.loranative.testing;

import java.nio.file.Path;
import java.util.List;
import org.loranative.device.CpuDevice;
import org.loranative.device.CudaDevice;
import org.loranative.device.Device;

/**
 * The devices that tests run on: the CPU, and the CUDA kernels in the emulator that the environment
 * names, as it is ({@code cuda-emu}) and built with its checks ({@code cuda-check}). Where the
 * environment names NVIDIA's driver instead, {@code cuda-emu} is a real card ({@code
 * benchmarks/gpu_check}). {@code -Dtests.devices=cpu} takes some of them alone.
 */
public final class TestDevices {
  private static final String LIBRARY =
      System.getenv()
          .getOrDefault(
              CudaDevice.EMULATOR,
              Path.of("target/native/libcuda_emu.so").toAbsolutePath().toString());
  private static final boolean EMULATED = LIBRARY.endsWith("_emu.so");

  /** Those of tests of single ops: the checks see what the plain emulator computes, and more. */
  public static final List<String> OPS = chosen("cuda-check");

  /** Those of tests of whole models, which take minutes under the checks; CI runs them so too. */
  public static final List<String> MODELS = chosen("cuda-emu");

  private TestDevices() {}

  private static List<String> chosen(String emulator) {
    String asked = System.getProperty("tests.devices", "");
    if (!asked.isBlank()) {
      return List.of(asked.split(","));
    }
    return EMULATED ? List.of("cpu", emulator) : List.of("cuda-emu");
  }

  /** {@link #OPS}, for {@code @MethodSource}. */
  public static List<String> ops() {
    return OPS;
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

package org.loranative.testing;

import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
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

  /** Whether each model is to run on each device: on a card, and where a run names devices. */
  private static final boolean WHOLE = !EMULATED || !asked().isBlank();

  private TestDevices() {}

  private static List<String> chosen(String emulator) {
    if (!asked().isBlank()) {
      return List.of(asked().split(","));
    }
    return EMULATED ? List.of("cpu", emulator) : List.of("cuda-emu");
  }

  private static String asked() {
    return System.getProperty("tests.devices", "");
  }

  /** Whole models that a run is to keep to; none named: all. */
  private static final List<String> KEPT =
      List.of(System.getProperty("tests.models", "").split(","));

  /**
   * Devices and whole models: each on the CPU, and a few of every kind of layer in the emulator,
   * which takes its time. CI names the devices, and so runs each model on each.
   *
   * @param emulated the few
   */
  public static Stream<Arguments> models(Collection<String> names, Set<String> emulated) {
    return MODELS.stream()
        .flatMap(device -> names.stream().map(name -> Arguments.of(device, name)))
        .filter(a -> KEPT.contains("") || KEPT.contains(a.get()[1]))
        .filter(a -> WHOLE || a.get()[0].equals("cpu") || emulated.contains(a.get()[1]));
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

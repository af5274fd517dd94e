package org.loranative.train.machine;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import org.loranative.UserException;
import org.loranative.device.CpuDevice;
import org.loranative.device.CudaDevice;
import org.loranative.device.Device;
import org.loranative.device.DeviceException;
import org.loranative.io.DType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Chooses the device that a configuration asks for. */
public final class Devices {
  private static final Logger log = LoggerFactory.getLogger(Devices.class);

  private Devices() {}

  /**
   * @param name {@code cpu}; {@code cuda}, the first usable card; {@code cuda:1}, the second card;
   *     {@code auto}, the first usable card if it passes {@link SelfCheck}, else the CPU; {@code
   *     cuda-emu}, the CUDA kernels on the emulator that the environment variable
   *     LORA_NATIVE_EMULATOR names
   * @param threads of the CPU; 0 for one for each physical core
   */
  public static Device open(String name, int threads) {
    if (name.startsWith("cuda-emu")) {
      return new CudaDevice(name, emulator());
    }
    if (name.startsWith("cuda")) {
      return new CudaDevice(name, CudaDevice.DRIVER);
    }
    assert name.equals("auto") || name.equals("cpu") : name;
    Device cpu = new CpuDevice(threads > 0 ? threads : CpuDevice.physicalCores());
    return name.equals("cpu") ? cpu : cardOr(cpu);
  }

  private static Device cardOr(Device cpu) {
    try {
      CudaDevice.cards(CudaDevice.DRIVER);
    } catch (UserException e) {
      if (CudaDevice.isMissing(CudaDevice.DRIVER, e)) {
        log.debug("device: auto takes the CPU: {}", e.getMessage());
      } else {
        log.warn("device: auto takes the CPU: {}", e.getMessage());
      }
      return cpu;
    }
    CudaDevice card;
    try {
      card = new CudaDevice("cuda", CudaDevice.DRIVER);
    } catch (UserException e) {
      log.warn("device: auto takes the CPU: {}", e.getMessage());
      return cpu;
    }
    String described = card.description(); // a card that has failed says nothing any more
    Optional<String> problem = problem(card, cpu);
    if (problem.isEmpty()) {
      cpu.close();
      return card;
    }
    log.warn("device: auto takes the CPU, since {} fails its check: {}.", described, problem.get());
    try {
      card.close();
    } catch (DeviceException e) {
      log.debug("the card could not be given back: {}", e.getMessage());
    }
    return cpu;
  }

  /** What is wrong with a card, even where it goes without the kernels that only Hopper has. */
  private static Optional<String> problem(CudaDevice card, Device cpu) {
    Optional<String> problem = SelfCheck.problem(card, cpu);
    if (problem.isEmpty() || !card.leaveWarpgroups()) {
      return problem;
    }
    Optional<String> without = SelfCheck.problem(card, cpu);
    if (without.isEmpty()) {
      log.warn(
          "{} fails its check with the kernels that only Hopper has: {}. It goes without them, which"
              + " is slower; please report this.",
          card.description(),
          problem.get());
      return without;
    }
    return problem; // after a fault all that follows fails, and names nothing
  }

  private static String emulator() {
    String library = System.getenv(CudaDevice.EMULATOR);
    if (library == null) {
      throw new UserException(
          "device: cuda-emu needs the environment variable "
              + CudaDevice.EMULATOR
              + " to name the emulator's library (target/native/libcuda_emu.so after mvn package).");
    }
    return library;
  }

  /** The dtype called {@code name}, if {@code device} computes it well. */
  public static DType compute(String name, Device device) {
    if (name.equals("bf16") && device.name().equals("cpu") && !CpuDevice.hasBf16()) {
      throw new UserException(
          "compute_dtype: bf16 needs a CPU with AVX-512 BF16 or AMX, which this one lacks; use"
              + " compute_dtype: f32.");
    }
    if (name.equals("f16") && device.name().equals("cpu")) {
      throw new UserException(
          "compute_dtype: f16 is for cards; on the CPU use compute_dtype: bf16 or f32.");
    }
    return switch (name) {
      case "bf16" -> DType.BF16;
      case "f16" -> DType.F16;
      default -> DType.F32;
    };
  }

  /** What {@code lora-native devices} prints: each device, and why one is not usable. */
  public static List<String> describe() {
    List<String> lines = new ArrayList<>();
    try (Device cpu = open("cpu", 0)) {
      lines.add(cpu.description());
    }
    lines.addAll(describeCards("cuda", CudaDevice.DRIVER));
    String emulator = System.getenv(CudaDevice.EMULATOR);
    if (emulator != null) {
      lines.addAll(describeCards("cuda-emu", emulator));
    }
    return lines;
  }

  private static List<String> describeCards(String name, String library) {
    try {
      return CudaDevice.cards(library).stream()
          .map(card -> describeCard(name + ":" + card.index(), library))
          .toList();
    } catch (UserException e) {
      return List.of(name + ": not usable: " + e.getMessage());
    }
  }

  private static String sensors(Map<String, Double> readings) {
    StringBuilder text = new StringBuilder();
    BiConsumer<String, String> add =
        (tag, format) ->
            Optional.ofNullable(readings.get(tag))
                .ifPresent(v -> text.append(", ").append(String.format(format, v)));
    add.accept("gpu/temperature_c", "%.0f °C");
    add.accept("gpu/power_w", "%.0f W");
    add.accept("gpu/utilization_percent", "busy %.0f %% of the time");
    return text.toString();
  }

  private static String describeCard(String name, String library) {
    try (CudaDevice card = new CudaDevice(name, library);
        Device cpu = open("cpu", 0)) {
      return card.description()
          + sensors(card.sensors())
          + problem(card, cpu)
              .map(p -> "; fails its check against the CPU: " + p)
              .orElse("; checked against the CPU");
    } catch (UserException e) {
      return name + ": not usable: " + e.getMessage();
    }
  }
}

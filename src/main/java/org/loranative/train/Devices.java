package org.loranative.train;

import java.util.ArrayList;
import java.util.List;
import org.loranative.UserException;
import org.loranative.device.CpuDevice;
import org.loranative.device.CudaDevice;
import org.loranative.device.Device;
import org.loranative.io.DType;

/** Chooses the device that a configuration asks for. */
public final class Devices {
  private Devices() {}

  /**
   * @param name {@code auto} or {@code cpu}; {@code cuda}; {@code cuda-emu}, the CUDA kernels on
   *     the emulator that the environment variable LORA_NATIVE_EMULATOR names
   * @param threads of the CPU; 0 for one for each physical core
   */
  public static Device open(String name, int threads) {
    if (name.equals("cuda")) {
      return new CudaDevice(name, CudaDevice.DRIVER);
    }
    if (name.equals("cuda-emu")) {
      return new CudaDevice(name, emulator());
    }
    assert name.equals("auto") || name.equals("cpu") : name;
    return new CpuDevice(threads > 0 ? threads : CpuDevice.physicalCores());
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
    lines.add(describeCards("cuda", CudaDevice.DRIVER));
    String emulator = System.getenv(CudaDevice.EMULATOR);
    if (emulator != null) {
      lines.add(describeCards("cuda-emu", emulator));
    }
    return lines;
  }

  private static String describeCards(String name, String library) {
    try (Device card = new CudaDevice(name, library)) {
      return card.description();
    } catch (UserException e) {
      return name + ": not usable: " + e.getMessage();
    }
  }
}

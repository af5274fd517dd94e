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
  public static final List<String> NAMES = List.of("cpu", "cuda-emu");

  private TestDevices() {}

  public static String emulator() {
    return Path.of("target/native/libcuda_emu.so").toAbsolutePath().toString();
  }

  public static Device open(String name) {
    return name.equals("cpu") ? new CpuDevice(2) : new CudaDevice(name, emulator());
  }
}

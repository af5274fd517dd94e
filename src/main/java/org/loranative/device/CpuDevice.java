package org.loranative.device;

import java.util.Map;
import org.loranative.StoppedException;
import org.loranative.Stopping;

/** The CPU: OpenMP and oneDNN behind {@code src/main/native/cpu}. */
public final class CpuDevice implements Device {
  static {
    // JavaCPP's limits follow the Java heap and throw otherwise; ours is the planner.
    System.setProperty("org.bytedeco.javacpp.maxbytes", "0");
    System.setProperty("org.bytedeco.javacpp.maxphysicalbytes", "0");
  }

  /** Numbers that are quantized in a fraction of a second. */
  private static final long NF4_PIECE = 1 << 22;

  private final HostSensors sensors = new HostSensors();
  private final long handle;
  private final int threads;

  /**
   * @param threads OpenMP threads, at least 1
   */
  public CpuDevice(int threads) {
    long[] opened = new long[1];
    check(LoraOps.ln_cpu_open(threads, opened));
    this.handle = opened[0];
    this.threads = threads;
  }

  /** Loads the native library, with the settings above in place. */
  static void load() {}

  /** Physical cores this process may use: the default number of threads. */
  public static int physicalCores() {
    return LoraOps.ln_cpu_physical_cores();
  }

  /** Whether bf16 products run in hardware; without it bf16 would be slower than f32. */
  public static boolean hasBf16() {
    return LoraOps.ln_cpu_has_bf16() == 1;
  }

  /**
   * Quantizes {@code n} f32 at the host address {@code numbers} to NF4 (see lora_ops.h).
   *
   * @throws StoppedException if the process is to end
   */
  public static void quantizeNf4(long numbers, HostBuffer to, long n) {
    quantizeNf4(numbers, to, n, NF4_PIECE);
  }

  /**
   * @param piece so many numbers at once, a multiple of 64
   */
  public static void quantizeNf4(long numbers, HostBuffer to, long n, long piece) {
    try (HostBuffer scales = new HostBuffer(n / 64 * 4)) {
      for (long at = 0; at < n; at += piece) {
        if (Stopping.isAsked()) {
          throw new StoppedException("Stopped while numbers were quantized; --resume goes on.");
        }
        long codes = to.address() + LoraOps.LN_NF4_HEADER_BYTES + at / 2;
        long count = Math.min(piece, n - at);
        checkHost(
            LoraOps.ln_nf4_codes(
                numbers + at * 4, codes, scales.address() + at / 64 * 4, count, physicalCores()));
      }
      checkHost(LoraOps.ln_nf4_scales(scales.address(), to.address(), n));
    }
  }

  private static void checkHost(int status) {
    if (status != LoraOps.LN_OK) {
      throw new DeviceException(LoraOps.ln_last_error().getString());
    }
  }

  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public String description() {
    return String.format(
        "cpu, %d thread%s, x86-64-%s%s",
        threads,
        threads == 1 ? "" : "s",
        LoraOps.ln_cpu_isa().getString(),
        hasBf16() ? ", bf16 in hardware" : "");
  }

  @Override
  public long handle() {
    return handle;
  }

  /** Memory that can be had without swapping, within the limits of this process. */
  @Override
  public long freeBytes() {
    return FreeMemory.now().bytes();
  }

  @Override
  public boolean freeIsStrict() {
    return FreeMemory.now().strict();
  }

  @Override
  public String freeLimit() {
    return FreeMemory.now().limit();
  }

  @Override
  public Map<String, Double> sensors() {
    return sensors.read(freeBytes());
  }

  @Override
  public boolean readsHostMemory() {
    return true;
  }

  @Override
  public boolean captures() {
    return false;
  }

  @Override
  public long libraryBytes() {
    return LoraOps.ln_gemm_scratch_bytes(handle);
  }

  @Override
  public void close() {
    check(LoraOps.ln_device_close(handle));
  }
}

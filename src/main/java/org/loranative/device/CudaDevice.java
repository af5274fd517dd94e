package org.loranative.device;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.loranative.UserException;

/**
 * An NVIDIA card through its driver library, opened by name at run time; or the emulator, which is
 * the same device given another library.
 */
public final class CudaDevice implements Device {
  /** NVIDIA's driver library. */
  public static final String DRIVER = "libcuda.so.1";

  /** The environment variable that names the emulator's library. */
  public static final String EMULATOR = "LORA_NATIVE_EMULATOR";

  private static final String KERNELS = "/org/loranative/device/kernels/";

  /** Architectures of the cubins, as NVRTC names them. */
  private static final int[] ARCHITECTURES = {80, 86, 89, 90, 120};

  /**
   * A card.
   *
   * @param capability major · 10 + minor
   * @param driver as cuDriverGetVersion gives it
   */
  public record Card(
      int index, String name, long totalBytes, long freeBytes, int capability, int driver) {
    @Override
    public String toString() {
      return String.format(
          "%s, %.1f of %.1f GB free, compute capability %d.%d, driver for CUDA %d.%d",
          name,
          freeBytes / 1e9,
          totalBytes / 1e9,
          capability / 10,
          capability % 10,
          driver / 1000,
          driver % 1000 / 10);
    }
  }

  private final String name;
  private final String library;
  private final Card card;
  private final long handle;

  /**
   * Opens the first card.
   *
   * @param name {@code cuda} or {@code cuda-emu}
   * @param library the driver library's name or path
   * @throws UserException saying why there is no usable card
   */
  public CudaDevice(String name, String library) {
    CpuDevice.load();
    this.name = name;
    this.library = library;
    this.card = cards(library).get(0);
    if (card.capability() < 80) {
      throw new UserException(
          card.name()
              + " has compute capability "
              + card.capability() / 10.0
              + "; 8.0 (Ampere) or newer is needed.");
    }
    long[] opened = new long[1];
    if (LoraOps.ln_cuda_open(library, 0, opened) != LoraOps.LN_OK) {
      throw new UserException(LoraOps.ln_last_error().getString() + ".");
    }
    this.handle = opened[0];
    loadKernels();
  }

  /** The cards that a driver library sees. */
  public static List<Card> cards(String library) {
    CpuDevice.load();
    int[] count = new int[1];
    if (LoraOps.ln_cuda_count(library, count) != LoraOps.LN_OK) {
      throw new UserException(LoraOps.ln_last_error().getString() + ".");
    }
    List<Card> cards = new ArrayList<>();
    for (int i = 0; i < count[0]; i++) {
      byte[] text = new byte[256];
      long[] total = new long[1];
      long[] free = new long[1];
      int[] capability = new int[1];
      int[] driver = new int[1];
      if (LoraOps.ln_cuda_info(library, i, text, text.length, total, free, capability, driver)
          != LoraOps.LN_OK) {
        throw new UserException(LoraOps.ln_last_error().getString() + ".");
      }
      String cardName = new String(text, StandardCharsets.UTF_8).trim();
      cards.add(new Card(i, cardName, total[0], free[0], capability[0], driver[0]));
    }
    return cards;
  }

  private void loadKernels() {
    Optional<byte[]> list = resource("list.txt");
    if (list.isEmpty() && name.equals("cuda")) {
      throw new UserException(
          "This jar was built without CUDA kernels; build it with mvn package.");
    }
    String stems = new String(list.orElse("none".getBytes()), StandardCharsets.UTF_8);
    for (String stem : stems.strip().split("\\s+")) {
      byte[] image = resource(stem + suffix(card.capability())).orElse(new byte[1]);
      try (HostBuffer host = new HostBuffer(image.length + 1L)) {
        host.view().put(image).put((byte) 0); // PTX is text and ends with a zero
        check(LoraOps.ln_cuda_load_module(handle, host.address()));
      }
    }
  }

  /** A cubin runs on cards of its major version from its minor on; others compile the PTX. */
  static String suffix(int capability) {
    int best = 0;
    for (int architecture : ARCHITECTURES) {
      if (architecture / 10 == capability / 10 && architecture <= capability) {
        best = architecture;
      }
    }
    return best > 0 ? ".sm_" + best + ".cubin" : ".compute_80.ptx";
  }

  private static Optional<byte[]> resource(String file) {
    try (InputStream in = CudaDevice.class.getResourceAsStream(KERNELS + file)) {
      return in == null ? Optional.empty() : Optional.of(in.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String description() {
    return name + ", " + card;
  }

  @Override
  public long handle() {
    return handle;
  }

  @Override
  public long freeBytes() {
    return cards(library).get(0).freeBytes();
  }

  @Override
  public boolean readsHostMemory() {
    return false;
  }

  @Override
  public boolean captures() {
    return true;
  }

  @Override
  public long libraryBytes() {
    return 0;
  }

  @Override
  public void close() {
    check(LoraOps.ln_device_close(handle));
  }
}

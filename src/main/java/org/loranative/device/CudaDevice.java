package org.loranative.device;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.loranative.UserException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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

  private static final String PTX = "ptx";

  private static final Logger log = LoggerFactory.getLogger(CudaDevice.class);

  /**
   * A card.
   *
   * @param capability major · 10 + minor
   * @param driver as cuDriverGetVersion gives it
   */
  public record Card(int index, String name, long totalBytes, int capability, int driver) {
    @Override
    public String toString() {
      return String.format(
          "%s, %.1f GB, compute capability %d.%d, driver for CUDA %d.%d",
          name,
          totalBytes / 1e9,
          capability / 10,
          capability % 10,
          driver / 1000,
          driver % 1000 / 10);
    }
  }

  private final String name;
  private final Card card;
  private final String sensors;
  private final long handle;

  /**
   * Opens a card.
   *
   * @param name {@code cuda} or {@code cuda-emu} for the first card that is usable, {@code cuda:1}
   *     or {@code cuda-emu:1} for that one
   * @param library the driver library's name or path
   * @throws UserException saying why there is no usable card
   */
  public CudaDevice(String name, String library) {
    this.name = name;
    this.sensors = isEmulator(library) ? library : CardSensors.LIBRARY;
    List<Card> cards = cards(library);
    int colon = name.indexOf(':');
    if (colon < 0) {
      Open first = firstUsable(library, cards);
      this.card = first.card();
      this.handle = first.handle();
    } else {
      int index = Integer.parseInt(name.substring(colon + 1));
      if (index >= cards.size()) {
        throw new UserException(
            String.format(
                "device: %s asks for card %d, but the driver sees %d, counted from 0: %s.",
                name,
                index,
                cards.size(),
                cards.stream().map(Card::name).collect(Collectors.joining(", "))));
      }
      this.card = cards.get(index);
      this.handle = open(library, card);
    }
  }

  /** Whether a driver library is an emulator's, which holds kernels and sensors itself. */
  static boolean isEmulator(String library) {
    return !Path.of(library).endsWith(DRIVER);
  }

  private record Open(Card card, long handle) {}

  private static Open firstUsable(String library, List<Card> cards) {
    List<String> problems = new ArrayList<>();
    for (Card card : cards) {
      try {
        Open open = new Open(card, open(library, card));
        problems.forEach(log::warn);
        return open;
      } catch (UserException e) {
        problems.add(e.getMessage());
      }
    }
    throw new UserException(String.join(" ", problems));
  }

  /** Opens {@code card} and loads its kernels; returns its handle. */
  private static long open(String library, Card card) {
    if (card.capability() < 80) {
      throw new UserException(
          card.name()
              + " has compute capability "
              + card.capability() / 10.0
              + "; 8.0 (Ampere) or newer is needed.");
    }
    long[] opened = new long[1];
    if (LoraOps.ln_cuda_open(library, card.index(), opened) != LoraOps.LN_OK) {
      throw new UserException(LoraOps.ln_last_error().getString() + ".");
    }
    try {
      loadKernels(library, card, opened[0]);
      return opened[0];
    } catch (UserException e) {
      LoraOps.ln_device_close(opened[0]);
      throw e;
    }
  }

  /** Whether {@link #cards} failed since there is no such library: most machines have no card. */
  public static boolean isMissing(String library, UserException failure) {
    return failure.getMessage().contains(library + " is not there");
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
      int[] capability = new int[1];
      int[] driver = new int[1];
      if (LoraOps.ln_cuda_info(library, i, text, text.length, total, capability, driver)
          != LoraOps.LN_OK) {
        throw new UserException(LoraOps.ln_last_error().getString() + ".");
      }
      String cardName = new String(text, StandardCharsets.UTF_8).trim();
      cards.add(new Card(i, cardName, total[0], capability[0], driver[0]));
    }
    return cards;
  }

  private static void loadKernels(String library, Card card, long handle) {
    boolean emulated = isEmulator(library);
    List<String> stems = words("list.txt", "\\s+");
    if (stems.isEmpty() && !emulated) {
      throw new UserException(
          "This jar was built without CUDA kernels; build it with mvn package.");
    }
    List<String> architectures = words("architectures.txt", ",");
    String suffix = suffix(card.capability(), architectures);
    if (suffix.isEmpty() && !emulated) {
      throw new UserException(
          String.format(
              "This jar was built with kernels for %s alone, and %s is none of them; build it with"
                  + " mvn package.",
              architectures, card.name()));
    }
    if (suffix.endsWith(".ptx") && !emulated) {
      log.info(
          "{} is newer than the kernels in this jar: the driver compiles them, once, for a minute"
              + " or more.",
          card.name());
    }
    for (String stem : emulated ? List.of("none") : stems) {
      byte[] image = resource(stem + suffix).orElse(new byte[1]);
      try (HostBuffer host = new HostBuffer(image.length + 1L)) {
        host.view().put(image).put((byte) 0); // PTX is text and ends with a zero
        int status = LoraOps.ln_cuda_load_module(handle, host.address());
        if (status != LoraOps.LN_OK) {
          throw new UserException(
              String.format(
                  "%s: %s; %s.",
                  card.name(),
                  LoraOps.ln_last_error().getString().replaceAll("\\.$", ""),
                  status == LoraOps.LN_OUT_OF_MEMORY
                      ? "end what else takes its memory"
                      : "update NVIDIA's driver"));
        }
      }
    }
  }

  /**
   * How the file that suits a card ends, empty if none does: a cubin runs on cards of its major
   * version from its minor on; others compile the PTX.
   *
   * @param architectures what kernels were built for, as in the pom
   */
  static String suffix(int capability, List<String> architectures) {
    int best =
        architectures.stream()
            .filter(a -> !a.equals(PTX))
            .mapToInt(Integer::parseInt)
            .filter(a -> a / 10 == capability / 10 && a <= capability)
            .max()
            .orElse(0);
    if (best > 0) {
      return ".sm_" + best + ".cubin";
    }
    return architectures.contains(PTX) ? ".compute_80.ptx" : "";
  }

  /** The words of a resource; none if it is not there. */
  private static List<String> words(String file, String separator) {
    return resource(file)
        .map(bytes -> List.of(new String(bytes, StandardCharsets.UTF_8).strip().split(separator)))
        .orElse(List.of());
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
    return String.format("%s, %s, %.1f GB free", name, card, freeBytes() / 1e9);
  }

  @Override
  public long handle() {
    return handle;
  }

  @Override
  public long freeBytes() {
    long[] free = new long[1];
    check(LoraOps.ln_cuda_free_bytes(handle, free));
    return free[0];
  }

  /**
   * Leaves out the kernels that only Hopper has, from the next op on; false if the card went
   * without them. Plans made before must not run after.
   */
  public boolean leaveWarpgroups() {
    int[] left = new int[1];
    check(LoraOps.ln_cuda_leave_warpgroups(handle, left));
    return left[0] != 0;
  }

  @Override
  public Map<String, Double> sensors() {
    return CardSensors.read(handle, sensors);
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

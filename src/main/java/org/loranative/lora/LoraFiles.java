package org.loranative.lora;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.UserException;
import org.loranative.io.DType;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorFile;
import org.loranative.lora.LoraTensors.Role;
import org.loranative.track.Phase;

/**
 * Adapters of diffusion models as other tools write them: kohya's files, diffusers' files, PEFT's
 * folders and others of these names.
 */
public final class LoraFiles {
  private LoraFiles() {}

  /**
   * Reads every module of an adapter.
   *
   * @param path a safetensors file, or a PEFT folder of a UNet
   * @param targets the base model's layers
   * @throws UserException if a tensor belongs to no layer, or its shape fits none
   */
  public static Map<String, LowRank> read(Path path, List<Adapters.Target> targets) {
    boolean folder = Files.isDirectory(path);
    if (!Files.exists(path)) {
      throw new UserException("The adapter " + path + " does not exist.");
    }
    TensorFile file = Safetensors.read(folder ? path.resolve("adapter_model.safetensors") : path);
    LoraMetadata metadata = folder ? LoraMetadata.ofFolder(path) : LoraMetadata.ofFile(path, file);
    LoraTensors tensors = new LoraTensors(path, file.tensors());
    Map<String, Adapters.Target> names = LoraNames.of(targets);
    Map<String, LowRank> modules = new LinkedHashMap<>();
    List<String> unknown = new ArrayList<>(tensors.unknown());
    Map<String, Map<Role, TensorEntry>> layers = tensors.byLayer();
    Phase phase = new Phase("layers of the adapter read", layers.size());
    layers.forEach(
        (name, parts) -> {
          phase.next();
          if (names.containsKey(name)) {
            Adapters.Target target = names.get(name);
            modules.put(target.path(), module(path, name, target, parts, metadata));
          } else {
            parts.values().forEach(e -> unknown.add(e.name()));
          }
        });
    if (modules.isEmpty() || !unknown.isEmpty()) {
      throw new UserException(
          String.format(
              "%s holds %d tensors for layers that this base model has not, such as %s; it was"
                  + " made for another base, or holds something else than LoRA.",
              path, unknown.size(), unknown.stream().sorted().findFirst().orElse("none")));
    }
    // In the model's order, whatever the file's is.
    Map<String, LowRank> sorted = new LinkedHashMap<>();
    targets.stream()
        .map(Adapters.Target::path)
        .filter(modules::containsKey)
        .forEach(p -> sorted.put(p, modules.get(p)));
    return sorted;
  }

  private static LowRank module(
      Path path,
      String name,
      Adapters.Target target,
      Map<Role, TensorEntry> parts,
      LoraMetadata metadata) {
    TensorEntry down = parts.get(Role.DOWN);
    TensorEntry up = parts.get(Role.UP);
    if (down == null || up == null) {
      throw new UserException(
          String.format(
              "%s holds %s for %s but not what goes with it (down and up, or A and B); it is not"
                  + " whole.",
              path, parts.keySet(), name));
    }
    int rank = Math.toIntExact(down.shape().isEmpty() ? 0 : down.shape().get(0));
    TensorEntry widest = parts.getOrDefault(Role.MID, down);
    boolean convolution = widest.shape().size() == 4;
    Optional<float[]> a = a(target, rank, down, Optional.ofNullable(parts.get(Role.MID)));
    if (rank < 1 || a.isEmpty() || up.elements() != rank * target.out()) {
      throw new UserException(
          String.format(
              "%s: %s %s and %s %s do not fit the layer %s of %d x %d.",
              path,
              widest.name(),
              widest.shape(),
              up.name(),
              up.shape(),
              target.path(),
              target.out(),
              target.in()));
    }
    double alpha =
        Optional.ofNullable(parts.get(Role.ALPHA))
            .filter(e -> e.elements() > 0)
            .map(e -> (double) Safetensors.floats(e)[0])
            .orElseGet(() -> metadata.alpha(target, rank));
    return new LowRank(
        target,
        rank,
        alpha,
        LowRank.ofFile(a.get(), target, rank),
        Safetensors.floats(up),
        convolution);
  }

  /**
   * A in the order of files [rank, channels, kernel, kernel], if the tensors fit the layer. With a
   * middle one [rank, rank, kernel, kernel] (CP), down is [rank, channels] and A their product.
   */
  private static Optional<float[]> a(
      Adapters.Target target, int rank, TensorEntry down, Optional<TensorEntry> middle) {
    int taps = target.kernel() * target.kernel();
    int channels = Math.toIntExact(target.in() / taps);
    if (middle.isEmpty()) {
      return down.elements() == rank * target.in()
          ? Optional.of(Safetensors.floats(down))
          : Optional.empty();
    }
    if (down.elements() != (long) rank * channels
        || middle.get().elements() != (long) rank * rank * taps) {
      return Optional.empty();
    }
    float[] first = Safetensors.floats(down);
    float[] mid = Safetensors.floats(middle.get());
    float[] a = new float[rank * channels * taps];
    for (int r = 0; r < rank; r++) {
      for (int c = 0; c < channels; c++) {
        for (int tap = 0; tap < taps; tap++) {
          double sum = 0;
          for (int j = 0; j < rank; j++) {
            sum += (double) mid[(r * rank + j) * taps + tap] * first[j * channels + c];
          }
          a[(r * channels + c) * taps + tap] = (float) sum;
        }
      }
    }
    return Optional.of(a);
  }

  /** Ways of writing a file. */
  public enum Format {
    KOHYA,
    DIFFUSERS
  }

  /**
   * Writes an adapter as a safetensors file in f32.
   *
   * @param sdxl whether the base is an SDXL, whose modules kohya names otherwise
   * @param metadata to be kept, such as kohya's {@code ss_} entries
   */
  public static void write(
      Path file,
      Format format,
      Map<String, LowRank> modules,
      boolean sdxl,
      Map<String, String> metadata)
      throws IOException {
    List<Safetensors.Tensor> tensors = new ArrayList<>();
    modules.forEach(
        (path, m) -> {
          if (format == Format.KOHYA) {
            String name = KohyaNames.written(path, sdxl);
            tensors.add(tensor(name + ".lora_down.weight", shapeOfA(m), m.fileA()));
            tensors.add(tensor(name + ".lora_up.weight", shapeOfB(m), m.b()));
            tensors.add(tensor(name + ".alpha", List.of(), new float[] {(float) m.alpha()}));
          } else {
            // Not every reader of these names looks for an alpha: the scale is in B.
            tensors.add(tensor(path + ".lora_A.weight", shapeOfA(m), m.fileA()));
            tensors.add(tensor(path + ".lora_B.weight", shapeOfB(m), scaled(m)));
          }
        });
    Map<String, String> kept = new LinkedHashMap<>(metadata);
    kept.remove(LoraMetadata.KEY);
    if (format == Format.DIFFUSERS) {
      kept.put(LoraMetadata.KEY, LoraMetadata.describe(modules));
    }
    Safetensors.write(file, tensors, kept);
  }

  private static float[] scaled(LowRank m) {
    float[] b = m.b().clone();
    for (int i = 0; i < b.length; i++) {
      b[i] = (float) (b[i] * m.scale());
    }
    return b;
  }

  private static List<Long> shapeOfA(LowRank m) {
    long kernel = m.target().kernel();
    long channels = m.target().in() / kernel / kernel;
    return m.convolution()
        ? List.of((long) m.rank(), channels, kernel, kernel)
        : List.of((long) m.rank(), channels);
  }

  private static List<Long> shapeOfB(LowRank m) {
    return m.convolution()
        ? List.of(m.target().out(), (long) m.rank(), 1L, 1L)
        : List.of(m.target().out(), (long) m.rank());
  }

  private static Safetensors.Tensor tensor(String name, List<Long> shape, float[] values) {
    ByteBuffer data = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    data.asFloatBuffer().put(values);
    return new Safetensors.Tensor(name, DType.F32, shape, data);
  }

  /** The metadata of an adapter's file; of a folder, none. */
  public static Map<String, String> metadata(Path path) {
    Map<String, String> texts = new LinkedHashMap<>();
    if (Files.isRegularFile(path)) {
      Safetensors.read(path)
          .metadata()
          .forEach((key, value) -> texts.put(key, String.valueOf(value)));
    }
    return texts;
  }
}

package org.loranative.lora;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.loranative.UserException;
import org.loranative.io.Numbers;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorFile;
import org.loranative.io.TensorStream;
import org.loranative.track.Phase;

/**
 * Adapters of diffusion models as other tools write them: kohya's files, diffusers' files, PEFT's
 * folders and others of these names.
 */
public final class LoraFiles {
  private static final String PEFT = "adapter_model.safetensors";

  private static final List<String> HASHES = List.of("sshs_model_hash", "sshs_legacy_hash");
  private static final String MODULE = "ss_network_module";
  private static final String MODULE_SETTINGS = "ss_network_args";

  private LoraFiles() {}

  /**
   * Reads every module of an adapter.
   *
   * @param named a safetensors file, a PEFT folder of a denoiser, or a checkpoint of a run
   * @param layers the base model's
   * @throws UserException if a tensor belongs to no layer, or its shape fits none
   */
  public static Map<String, AdaptedLayer> read(Path named, NamedLayers layers) {
    if (!Files.exists(named)) {
      throw new UserException("The adapter " + named + " does not exist.");
    }
    Path path = Files.isDirectory(named) ? inFolder(named) : named;
    boolean folder = Files.isDirectory(path);
    TensorFile file = Safetensors.read(folder ? path.resolve(PEFT) : path);
    LoraMetadata metadata =
        folder
            ? LoraMetadata.ofFolder(path, layers.names().parts().get(0))
            : LoraMetadata.ofFile(path, file, layers.names().parts());
    LoraTensors tensors = new LoraTensors(path, file.tensors());
    Map<String, Adapters.Target> names = layers.byName();
    Map<String, FusedLayer> fused = layers.fusedByName();
    Map<String, AdaptedLayer> modules = new LinkedHashMap<>();
    List<String> unknown = new ArrayList<>(tensors.unknown());
    Map<String, Map<String, TensorEntry>> byLayer = tensors.byLayer();
    Phase phase = new Phase("layers of the adapter read", byLayer.size());
    byLayer.forEach(
        (name, parts) -> {
          phase.next();
          if (names.containsKey(name)) {
            Adapters.Target target = names.get(name);
            modules.put(target.path(), module(path, name, target, parts, metadata));
          } else if (fused.containsKey(name)) {
            FusedLayer whole = fused.get(name);
            AdaptedLayer layer = module(path, name, whole.whole(), parts, metadata);
            modules.putAll(whole.split(layer).orElseThrow(() -> inseparable(path, layer)));
          } else {
            parts.values().forEach(e -> unknown.add(e.name()));
          }
        });
    phase.end();
    if (modules.isEmpty() || !unknown.isEmpty()) {
      throw new UserException(
          String.format(
              "%s holds %d %s for layers that this base model has not, such as %s; it was"
                  + " made for another base, or holds something else than LoRA.",
              path,
              unknown.size(),
              unknown.size() == 1 ? "tensor" : "tensors",
              unknown.stream().sorted().findFirst().orElse("none")));
    }
    // In the model's order, whatever the file's is.
    Map<String, AdaptedLayer> sorted = new LinkedHashMap<>();
    layers.targets().stream()
        .map(Adapters.Target::path)
        .filter(modules::containsKey)
        .forEach(p -> sorted.put(p, modules.get(p)));
    return sorted;
  }

  /** The adapter's file in a checkpoint, or a folder of PEFT's as it is. */
  private static Path inFolder(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      List<Path> adapters =
          files
              .filter(f -> f.getFileName().toString().endsWith(".safetensors"))
              .filter(f -> !f.getFileName().toString().equals("optimizer.safetensors"))
              .toList();
      return adapters.size() == 1 && !adapters.get(0).endsWith(PEFT) ? adapters.get(0) : folder;
    } catch (IOException e) {
      throw new UserException(folder + " cannot be read: " + e.getMessage(), e);
    }
  }

  private static UserException inseparable(Path path, AdaptedLayer layer) {
    return new UserException(
        String.format(
            "%s holds %s for %s, which are several layers of this base; of these only LoRA can be"
                + " read.",
            path, layer.method().label(), layer.target().path()));
  }

  /** Whether a file holds an adapter's tensors, as far as their names tell. */
  public static boolean isAdapter(Path file) {
    return Safetensors.read(file).tensors().keySet().stream().anyMatch(LoraTensors::isPart);
  }

  private static AdaptedLayer module(
      Path path,
      String name,
      Adapters.Target target,
      Map<String, TensorEntry> tensors,
      LoraMetadata metadata) {
    AdapterMethod method =
        AdapterMethods.ofTensors(tensors)
            .orElseThrow(
                () ->
                    new UserException(
                        String.format(
                            "%s holds %s for %s but not what goes with it (such as down and up, or"
                                + " A and B); it is not whole.",
                            path, tensors.keySet(), name)));
    requireNothingElse(path, method, target, tensors);
    metadata.require(target, method);
    Optional<Integer> told = method.rank(target, tensors);
    int rank = told.orElseGet(() -> metadata.rank(target));
    Optional<Map<String, float[]>> numbers =
        rank < 1 ? Optional.empty() : method.read(target, rank, tensors);
    if (numbers.isEmpty()) {
      throw new UserException(
          String.format(
              "%s: %s do not fit the layer %s of %d x %d.",
              path, shapes(tensors), target.path(), target.out(), target.in()));
    }
    double alpha =
        Optional.ofNullable(tensors.get(LoraTensors.ALPHA))
            .filter(e -> e.elements() > 0 && told.isPresent())
            .map(e -> (double) Safetensors.floats(e)[0])
            .orElseGet(() -> metadata.alpha(target, method, rank));
    boolean convolution = tensors.values().stream().anyMatch(e -> e.shape().size() == 4);
    return new AdaptedLayer(target, method, rank, alpha, Numbers.of(numbers.get()), convolution);
  }

  /** Refuses what another method, or a mixture of methods, has beside the parts of this one. */
  private static void requireNothingElse(
      Path path, AdapterMethod method, Adapters.Target target, Map<String, TensorEntry> tensors) {
    Set<String> known = new TreeSet<>();
    method.parts(target, 1).forEach(p -> known.add(p.name()));
    known.addAll(method.fileExtras().values());
    known.add(LoraTensors.ALPHA);
    tensors.forEach(
        (part, tensor) -> {
          if (!known.contains(part)) {
            throw new UserException(
                String.format(
                    "%s holds %s beside what %s has for this layer; the two together are not"
                        + " supported.",
                    path, tensor.name(), method.name()));
          }
        });
  }

  private static String shapes(Map<String, TensorEntry> tensors) {
    return tensors.values().stream()
        .filter(e -> !e.shape().isEmpty())
        .map(e -> e.name() + " " + e.shape())
        .collect(Collectors.joining(" and "));
  }

  /** Ways of writing a file. */
  public enum Format {
    KOHYA,
    DIFFUSERS
  }

  /**
   * Writes an adapter as a safetensors file in f32.
   *
   * @param layers the base's, and what they are called in files
   * @param metadata to be kept, such as kohya's {@code ss_} entries
   */
  public static void write(
      Path file,
      Format format,
      Map<String, AdaptedLayer> modules,
      NamedLayers layers,
      Map<String, String> metadata)
      throws IOException {
    boolean kohya = format == Format.KOHYA;
    List<TensorStream> tensors = new ArrayList<>();
    Map<String, AdaptedLayer> named = new LinkedHashMap<>();
    if (kohya) {
      named.putAll(kohya(modules, layers));
    } else {
      named.putAll(modules);
    }
    named.forEach(
        (name, m) -> {
          if (!kohya && !m.method().isInDiffusers()) {
            throw new UserException(
                "diffusers reads no "
                    + m.method().label()
                    + " for this kind of model; write kohya's format instead.");
          }
          // Readers go by alpha only where a tensor's shape tells the rank that divides it.
          boolean scaled = !kohya || m.parts().stream().noneMatch(Part::tellsRank);
          for (Part part : m.parts()) {
            // Not every reader of diffusers' names looks for an alpha: the scale is in the numbers.
            float[] numbers = scaled ? m.scaled(part) : m.numbers(part.name());
            tensors.add(
                TensorStream.f32(
                    name + (kohya ? part.keys().kohya() : part.keys().peft()),
                    part.fileShape(new Part.FileLayer(m.target(), m.convolution(), kohya)),
                    part.toFile(numbers, m.target())));
          }
          if (kohya) {
            tensors.add(
                TensorStream.f32(
                    name + ".alpha",
                    List.of(),
                    new float[] {(float) (scaled ? m.rank() : m.alpha())}));
          }
        });
    Map<String, String> kept = new LinkedHashMap<>(metadata);
    kept.remove(LoraMetadata.KEY);
    // Hashes of the tensors that the source had, and settings of what it was.
    kept.keySet().removeAll(HASHES);
    Map<String, String> network = network(modules);
    if (!Objects.equals(kept.get(MODULE), network.get(MODULE))) {
      kept.remove(MODULE_SETTINGS);
    }
    kept.putAll(network);
    if (format == Format.DIFFUSERS) {
      kept.put(LoraMetadata.KEY, LoraMetadata.describe(modules, layers.names().parts()));
    }
    Safetensors.stream(file, tensors, kept);
  }

  /** What kohya's scripts would have trained, by their names where they have one. */
  private static Map<String, AdaptedLayer> kohya(
      Map<String, AdaptedLayer> modules, NamedLayers layers) {
    Map<String, AdaptedLayer> named = new LinkedHashMap<>();
    Map<String, FusedLayer> wholes = new LinkedHashMap<>();
    layers.fused().forEach(f -> f.layers().forEach(t -> wholes.put(t.path(), f)));
    modules.forEach(
        (path, m) -> {
          FusedLayer whole = wholes.get(path);
          if (whole == null) {
            named.put(layers.names().kohya(path), m);
          } else if (!named.containsKey(whole.name())) {
            // What cannot be one layer goes by the names that OneTrainer gives to the parts.
            whole
                .join(modules)
                .ifPresentOrElse(
                    joined -> named.put(whole.name(), joined),
                    () -> named.put(layers.names().kohya(path), m));
          }
        });
    return named;
  }

  /** What kohya's entries say of the network, which is not always what a source's said. */
  private static Map<String, String> network(Map<String, AdaptedLayer> modules) {
    Map<String, String> entries = new LinkedHashMap<>();
    modules.values().stream()
        .findFirst()
        .ifPresent(m -> entries.putAll(m.method().kohyaMetadata()));
    entries.put("ss_network_dim", same(modules, m -> String.valueOf(m.rank())));
    entries.put("ss_network_alpha", same(modules, m -> String.valueOf(m.alpha())));
    return entries;
  }

  /** A number that is every layer's; kohya writes Dynamic where they differ. */
  private static String same(
      Map<String, AdaptedLayer> modules, Function<AdaptedLayer, String> number) {
    List<String> all = modules.values().stream().map(number).distinct().toList();
    return all.size() == 1 ? all.get(0) : "Dynamic";
  }

  /** The metadata of an adapter's file; of a folder, none. */
  public static Map<String, String> metadata(Path path) {
    return Files.isRegularFile(path) ? Safetensors.read(path).texts() : Map.of();
  }
}

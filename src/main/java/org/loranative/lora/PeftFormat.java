package org.loranative.lora;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.loranative.io.JsonFile;
import org.loranative.io.Numbers;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorStream;

/**
 * PEFT's folder: {@code adapter_model.safetensors}, with {@code base_model.model.} before each
 * layer's path, and {@code adapter_config.json}.
 */
public final class PeftFormat {
  static final String PREFIX = "base_model.model.";
  static final String WEIGHTS = "adapter_model.safetensors";
  static final String CONFIG = "adapter_config.json";

  /** What transformers calls the language model in a larger one. */
  private static final String INSIDE = "language_model";

  private PeftFormat() {}

  /**
   * Writes {@code numbers}, a flat buffer of {@code trained}, into {@code folder}. Layers are named
   * by the last part of their paths where that names no other layer, else by the whole path.
   *
   * @param layers all that could be adapted
   */
  public static void write(
      Path folder,
      Adapters trained,
      Numbers numbers,
      List<Adapters.Target> layers,
      String baseModel)
      throws IOException {
    write(folder, Exported.of(trained, numbers), layers, Network.language(baseModel));
  }

  /**
   * Likewise layers as they were read.
   *
   * @param layers by path
   * @param all layers that could be adapted
   */
  public static void write(
      Path folder, Map<String, AdaptedLayer> layers, List<Adapters.Target> all, String baseModel)
      throws IOException {
    write(folder, Exported.of(layers, all), all, Network.language(baseModel));
  }

  /**
   * Likewise layers of another network.
   *
   * @param network whose layers all of these are
   */
  public static void write(
      Path folder, Map<String, AdaptedLayer> layers, List<Adapters.Target> all, Network network)
      throws IOException {
    write(folder, Exported.of(layers, all), all, network);
  }

  /**
   * The network that a folder is for.
   *
   * @param path its base's
   * @param before what our paths of its layers begin with, and PEFT's do not
   * @param taskType PEFT's word for what it is used for, if it has one
   * @param convolutions whether a layer is one, by our path
   */
  public record Network(
      String path, String before, Optional<String> taskType, Predicate<String> convolutions) {
    private static Network language(String path) {
      return new Network(path, "", Optional.of("CAUSAL_LM"), layer -> false);
    }

    private String name(String layer) {
      return layer.substring(before.length());
    }
  }

  private static void write(
      Path folder, Exported exported, List<Adapters.Target> layers, Network network)
      throws IOException {
    Adapters adapters = exported.adapters();
    Numbers params = exported.params();
    List<Adapters.Target> adapted =
        adapters.modules().stream().map(Adapters.Module::target).toList();
    List<TensorStream> tensors = new ArrayList<>();
    SavedModules saved = new SavedModules(layers);
    for (Adapters.Module m : adapters.modules()) {
      String module =
          m.target().experts() > 0 ? PeftParameters.module(m.target(), adapted) : m.path();
      List<String> names =
          m.spec().method().replaces() ? saved.modules(m.target()) : List.of(module);
      for (String name : names) {
        for (Adapters.Place p : m.parts()) {
          tensors.add(tensor(PREFIX + network.name(name), m, p, params, network));
        }
      }
    }
    Safetensors.stream(folder.resolve(WEIGHTS), tensors, Map.of("format", "pt"));
    LoraSpec spec =
        adapters.specs().stream()
            .filter(s -> !s.method().replaces())
            .findFirst()
            .orElse(new LoraSpec(1, 1, 0, List.of(), false));
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    spec.method().describe(spec, config);
    config.put("task_type", network.taskType().orElse(null));
    config.put("base_model_name_or_path", network.path());
    config.put("inference_mode", true);
    ObjectNode ranks = config.putObject("rank_pattern");
    ObjectNode alphas = config.putObject("alpha_pattern");
    for (Adapters.Module m : adapters.modules()) {
      if (m.spec().method().replaces()) {
        continue;
      }
      if (m.rank() != spec.rank()) {
        ranks.put(network.name(m.path()), m.rank());
      }
      double alpha = m.spec().method().peftAlpha(m.spec());
      if (alpha != spec.method().peftAlpha(spec)) {
        alphas.put(network.name(m.path()), alpha);
      }
    }
    ArrayNode names = config.putArray("target_modules");
    targets(adapters, layers, network).forEach(names::add);
    if (areInside(adapters)) {
      // The towers beside it have layers of the same names.
      config.put("exclude_modules", "(?!.*\\b" + INSIDE + "\\.).*");
    }
    Set<String> parameters = parameters(adapters, layers, network);
    if (!parameters.isEmpty()) {
      parameters.forEach(config.putArray(PeftParameters.KEY)::add);
    }
    saved.describe(adapters, config);
    JsonFile.write(folder.resolve(CONFIG), config);
  }

  /** Whether the layers are those of a language model within one that also sees or hears. */
  private static boolean areInside(Adapters adapters) {
    List<Adapters.Module> modules =
        adapters.modules().stream().filter(m -> !m.spec().method().replaces()).toList();
    return !modules.isEmpty()
        && modules.stream().allMatch(m -> m.path().contains("." + INSIDE + "."));
  }

  private static Set<String> targets(
      Adapters adapters, List<Adapters.Target> layers, Network network) {
    Set<String> unadapted = new HashSet<>();
    for (Adapters.Target layer : layers) {
      if (adapters.find(layer.path()).isEmpty()) {
        unadapted.add(lastPart(layer.path()));
      }
    }
    Set<String> names = new LinkedHashSet<>();
    for (Adapters.Module m : adapters.modules()) {
      if (m.target().experts() > 0
          || PeftParameters.isNamedByWeight(m, layers)
          || m.spec().method().replaces()) {
        continue;
      }
      String name = lastPart(m.path());
      // A number is the end of other modules' names too, such as a block's.
      boolean whole = unadapted.contains(name) || Character.isDigit(name.charAt(0));
      names.add(whole ? network.name(m.path()) : name);
    }
    return names;
  }

  /**
   * Experts, by the end of their paths from the mixture on where that names no other; other layers
   * that PEFT would take for experts, by their weights' whole names.
   */
  private static Set<String> parameters(
      Adapters adapters, List<Adapters.Target> layers, Network network) {
    Set<String> unadapted = new HashSet<>();
    layers.stream()
        .filter(t -> t.experts() > 0 && adapters.find(t.path()).isEmpty())
        .forEach(t -> unadapted.add(lastParts(t.path())));
    Set<String> names = new LinkedHashSet<>();
    for (Adapters.Module m : adapters.modules()) {
      if (m.target().experts() > 0) {
        String name = lastParts(m.path());
        names.add(unadapted.contains(name) ? network.name(m.path()) : name);
      } else if (PeftParameters.isNamedByWeight(m, layers)) {
        names.add(network.name(m.path()) + ".weight");
      }
    }
    return names;
  }

  /** {@code mlp.experts.down_proj}, or {@code experts.down_proj} where a layer holds them. */
  private static String lastParts(String path) {
    String[] parts = path.split("\\.");
    if (parts.length > 2 && Character.isDigit(parts[parts.length - 3].charAt(0))) {
      return parts[parts.length - 2] + "." + parts[parts.length - 1];
    }
    return String.join(".", Arrays.copyOfRange(parts, Math.max(0, parts.length - 3), parts.length));
  }

  /** A module's own name. */
  static String lastPart(String path) {
    return path.substring(path.lastIndexOf('.') + 1);
  }

  private static TensorStream tensor(
      String module, Adapters.Module m, Adapters.Place p, Numbers params, Network network) {
    Part.FileLayer file =
        new Part.FileLayer(m.target(), network.convolutions().test(m.path()), false);
    return TensorStream.f32(
        module + p.part().keys().peft(),
        p.part().fileShape(file),
        p.part().toFile(p.of(params), m.target()));
  }

  /** Whether a folder holds the embedding or the head, trained as a whole. */
  public static boolean holdsWhole(Path folder) {
    return Files.exists(folder.resolve(CONFIG)) && PeftFolder.open(folder).holdsWhole();
  }

  /** The adapters of a folder, for use: shapes come from its tensors, scales from its config. */
  public static Adapters adapters(Path folder, List<Adapters.Target> layers) {
    return new Adapters(PeftFolder.open(folder).specs(layers), layers);
  }

  /** Reads an adapter's numbers into the layout of {@code adapters}, which fit it. */
  public static Flat read(Path folder, Adapters adapters) {
    Flat params = new Flat(adapters);
    Map<String, AdaptedLayer> layers =
        read(folder, adapters.modules().stream().map(Adapters.Module::target).toList());
    for (Adapters.Module m : adapters.modules()) {
      layers.get(m.path()).place(m, 1, 0, params);
    }
    return params;
  }

  /** The adapted layers of a folder by path. */
  public static Map<String, AdaptedLayer> read(Path folder, List<Adapters.Target> layers) {
    return PeftFolder.open(folder).layers(layers);
  }
}

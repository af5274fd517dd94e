package org.loranative.lora;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.loranative.UserException;
import org.loranative.io.JsonFile;
import org.loranative.io.TensorFile;

/**
 * PEFT's configuration of an adapter's parts, which stands beside the tensors or in the file's
 * metadata: it tells the alphas; without any, alpha is the rank.
 */
record LoraMetadata(Path path, Map<String, JsonNode> byPart) {
  /** Where diffusers keeps it. */
  static final String KEY = "lora_adapter_metadata";

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Of a PEFT folder of one part. */
  static LoraMetadata ofFolder(Path folder, String part) {
    JsonNode config = JsonFile.read(folder.resolve("adapter_config.json"));
    return new LoraMetadata(folder, Map.of(part, config));
  }

  /** What diffusers keeps in the file's metadata. */
  static LoraMetadata ofFile(Path path, TensorFile file, List<String> names) {
    Map<String, JsonNode> parts = new HashMap<>();
    if (file.metadata().get(KEY) instanceof String text) {
      JsonNode all = parse(path, text);
      for (String part : names) {
        ObjectNode config = JSON.createObjectNode();
        all.properties()
            .forEach(
                f -> {
                  if (f.getKey().startsWith(part + ".")) {
                    config.set(f.getKey().substring(part.length() + 1), f.getValue());
                  }
                });
        parts.put(part, config);
      }
    }
    return new LoraMetadata(path, parts);
  }

  /** The same, for writing modules whose alpha is their rank: each part's rank and layers. */
  static String describe(Map<String, AdaptedLayer> modules, List<String> parts) {
    ObjectNode all = JSON.createObjectNode();
    for (String part : parts) {
      Map<String, AdaptedLayer> own = new LinkedHashMap<>();
      modules.forEach(
          (path, m) -> {
            if (path.startsWith(part + ".")) {
              own.put(path.substring(part.length() + 1), m);
            }
          });
      if (own.isEmpty()) {
        continue;
      }
      int rank = own.values().iterator().next().rank();
      all.put(part + ".r", rank);
      all.put(part + ".lora_alpha", rank);
      own.values()
          .iterator()
          .next()
          .method()
          .peftSwitches()
          .forEach((key, on) -> all.put(part + "." + key, on));
      own.keySet().forEach(all.withArray("/" + part + ".target_modules")::add);
      ObjectNode others = JSON.createObjectNode();
      own.forEach(
          (name, m) -> {
            if (m.rank() != rank) {
              others.put(name, m.rank());
            }
          });
      all.set(part + ".rank_pattern", others);
      all.set(part + ".alpha_pattern", others);
    }
    return all.toString();
  }

  private static JsonNode parse(Path path, String text) {
    try {
      return JSON.readTree(text);
    } catch (IOException e) {
      throw new UserException(path + ": its configuration is not JSON: " + e.getMessage(), e);
    }
  }

  /**
   * Checks that the configuration, if there is one, speaks of the layer's method.
   *
   * @throws UserException if it does not
   */
  void require(Adapters.Target target, AdapterMethod method) {
    JsonNode config = byPart.get(part(target));
    if (config != null && !method.isDescribed(config)) {
      throw new UserException(
          path
              + ": the tensors of "
              + target.path()
              + " are those of "
              + method.name()
              + ", but its configuration says otherwise; it is not whole.");
    }
  }

  private static String part(Adapters.Target target) {
    return target.path().substring(0, target.path().indexOf('.'));
  }

  /** The rank of a layer whose tensors do not tell it: without a configuration it is 1. */
  int rank(Adapters.Target target) {
    JsonNode config = byPart.get(part(target));
    return config == null ? 1 : (int) number(target, config, "rank_pattern", "r", 1);
  }

  /** The alpha of a layer whose tensors have the given rank. */
  double alpha(Adapters.Target target, AdapterMethod method, int rank) {
    JsonNode config = byPart.get(part(target));
    if (config == null) {
      return rank;
    }
    double alpha = number(target, config, "alpha_pattern", method.alphaKey(), rank);
    return config.path("use_rslora").asBoolean() ? alpha * Math.sqrt(rank) : alpha;
  }

  private double number(
      Adapters.Target target, JsonNode config, String patterns, String all, double otherwise) {
    String module = target.path().substring(part(target).length() + 1);
    return PeftPatterns.number(
        path, config, patterns, module, config.path(all).asDouble(otherwise));
  }
}

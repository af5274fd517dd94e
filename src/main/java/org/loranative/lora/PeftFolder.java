package org.loranative.lora;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.loranative.UserException;
import org.loranative.io.JsonFile;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;

/**
 * A folder that PEFT (or we) wrote, as it lies. Which layers are adapted and at which rank its
 * tensors say, so it does not matter how its config chose them: by names, a regular expression,
 * {@code layers_to_transform}, {@code exclude_modules} or {@code rank_pattern}. The config says the
 * scale.
 */
final class PeftFolder {
  private static final Pattern FACTOR =
      Pattern.compile("base_model\\.model\\.(.+)\\.lora_([AB])(?:\\.[^.]+)?\\.weight");

  /** The two factors of a layer. */
  private record Factors(TensorEntry a, TensorEntry b) {}

  private final Path folder;
  private final JsonNode config;
  private final Map<String, Factors> factors;

  private PeftFolder(Path folder, JsonNode config, Map<String, Factors> factors) {
    this.folder = folder;
    this.config = config;
    this.factors = factors;
  }

  static PeftFolder open(Path folder) {
    Path file = folder.resolve(PeftFormat.CONFIG);
    if (!Files.exists(file)) {
      throw new UserException(
          folder
              + " is not a PEFT adapter: it has no "
              + PeftFormat.CONFIG
              + " (and "
              + PeftFormat.WEIGHTS
              + ").");
    }
    JsonNode config = JsonFile.read(file);
    requireSupported(file, config);
    Map<String, TensorEntry> a = new TreeMap<>();
    Map<String, TensorEntry> b = new TreeMap<>();
    for (Map.Entry<String, TensorEntry> t :
        Safetensors.read(folder.resolve(PeftFormat.WEIGHTS)).tensors().entrySet()) {
      Matcher factor = FACTOR.matcher(t.getKey());
      if (!factor.matches()) {
        throw new UserException(folder + " " + foreign(t.getKey()));
      }
      (factor.group(2).equals("A") ? a : b).put(factor.group(1), t.getValue());
    }
    if (a.isEmpty() || !a.keySet().equals(b.keySet())) {
      throw new UserException(folder + " lacks lora_A or lora_B of some layers; is it whole?");
    }
    Map<String, Factors> factors = new TreeMap<>();
    a.forEach((path, entry) -> factors.put(path, new Factors(entry, b.get(path))));
    return new PeftFolder(folder, config, factors);
  }

  private static void requireSupported(Path file, JsonNode config) {
    if (!config.path("peft_type").asText().equals("LORA")) {
      throw new UserException(
          file + ": peft_type is " + config.path("peft_type") + "; only LORA is supported.");
    }
    for (String unsupported : List.of("use_dora", "fan_in_fan_out")) {
      if (config.path(unsupported).asBoolean()) {
        throw new UserException(file + ": " + unsupported + " is not supported.");
      }
    }
    for (String whole : List.of("modules_to_save", "trainable_token_indices")) {
      if (!config.path(whole).isEmpty()) {
        throw new UserException(
            file
                + ": "
                + whole
                + " names "
                + config.path(whole)
                + ", which were trained as a whole; only low-rank adapters of linear layers are"
                + " supported. Train without it, or merge the adapter into its base with PEFT"
                + " (merge_and_unload) and use the result as the base.");
      }
    }
  }

  /** What a tensor is that no linear layer's adapter has. */
  private static String foreign(String name) {
    if (name.contains("lora_embedding")) {
      return "adapts an embedding (" + name + "), which is not supported; linear layers are.";
    } else if (name.contains("lora_magnitude_vector")) {
      return "is a DoRA adapter (" + name + "), which is not supported.";
    }
    return "holds the tensor "
        + name
        + ", which is no part of a low-rank adapter: a layer or bias trained as a whole"
        + " (modules_to_save, bias) is not supported.";
  }

  /** One spec for all layers of the same rank and alpha. */
  List<LoraSpec> specs(List<Adapters.Target> layers) {
    Map<LoraSpec, List<String>> paths = new LinkedHashMap<>();
    for (LowRankShape shape : shapes(layers)) {
      paths
          .computeIfAbsent(spec(shape, List.of()), s -> new ArrayList<>())
          .add(shape.target().path());
    }
    List<LoraSpec> specs = new ArrayList<>();
    paths.forEach(
        (s, of) -> specs.add(new LoraSpec(s.rank(), s.alpha(), s.dropout(), of, s.rslora())));
    return specs;
  }

  private LoraSpec spec(LowRankShape shape, List<String> paths) {
    return new LoraSpec(
        shape.rank(),
        alpha(shape.target().path()),
        config.path("lora_dropout").asDouble(),
        paths,
        config.path("use_rslora").asBoolean());
  }

  /** The numbers; alpha as if scales were alpha / rank. */
  Map<String, LowRank> layers(List<Adapters.Target> targets) {
    Map<String, LowRank> layers = new TreeMap<>();
    for (LowRankShape shape : shapes(targets)) {
      String path = shape.target().path();
      Factors f = factors.get(path);
      double alpha = spec(shape, List.of(path)).scale() * shape.rank();
      layers.put(
          path,
          new LowRank(
              shape.target(),
              shape.rank(),
              alpha,
              Safetensors.floats(f.a()),
              Safetensors.floats(f.b()),
              false));
    }
    return layers;
  }

  private record LowRankShape(Adapters.Target target, int rank) {}

  private List<LowRankShape> shapes(List<Adapters.Target> targets) {
    Map<String, Adapters.Target> known = new TreeMap<>();
    targets.forEach(t -> known.put(t.path(), t));
    List<LowRankShape> shapes = new ArrayList<>();
    for (Map.Entry<String, Factors> e : factors.entrySet()) {
      Adapters.Target target = known.get(e.getKey());
      if (target == null) {
        throw new UserException(
            folder
                + " adapts "
                + e.getKey()
                + (e.getKey().endsWith("lm_head") || e.getKey().endsWith("embed_tokens")
                    ? ", but adapters on the embedding or the head are not supported."
                    : ", which the base model has not; was it made for another base?"));
      }
      List<Long> a = e.getValue().a().shape();
      List<Long> b = e.getValue().b().shape();
      boolean fits =
          a.size() == 2
              && a.get(0) > 0
              && a.get(1) == target.in()
              && b.equals(List.of(target.out(), a.get(0)));
      if (!fits) {
        throw new UserException(
            String.format(
                "%s: lora_A and lora_B of %s have the shapes %s and %s, but the base model's layer"
                    + " is %d × %d; was it made for another base?",
                folder, e.getKey(), a, b, target.out(), target.in()));
      }
      shapes.add(new LowRankShape(target, Math.toIntExact(a.get(0))));
    }
    return shapes;
  }

  /** {@code lora_alpha}, or of {@code alpha_pattern} the first whose key is the path or its end. */
  private double alpha(String path) {
    Iterator<Map.Entry<String, JsonNode>> patterns =
        config.path("alpha_pattern").properties().iterator();
    while (patterns.hasNext()) {
      Map.Entry<String, JsonNode> p = patterns.next();
      try {
        if (path.matches("(?:.*\\.)?(?:" + p.getKey() + ")")) {
          return p.getValue().asDouble();
        }
      } catch (PatternSyntaxException e) {
        throw new UserException(
            folder
                + "/"
                + PeftFormat.CONFIG
                + ": alpha_pattern has the key \""
                + p.getKey()
                + "\", which is not a regular expression.",
            e);
      }
    }
    return config.path("lora_alpha").asDouble(config.path("r").asDouble());
  }
}

package org.loranative.lora;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.loranative.UserException;
import org.loranative.io.JsonFile;
import org.loranative.io.Numbers;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;

/**
 * A folder that PEFT (or we) wrote, as it lies. Which layers are adapted and at which rank its
 * tensors say, so it does not matter how its config chose them: by names, a regular expression,
 * {@code layers_to_transform}, {@code exclude_modules} or {@code rank_pattern}. The config says the
 * scale.
 */
final class PeftFolder {
  private static final String WEIGHT = ".weight";

  /** Settings of PEFT under which the same tensors mean another model. */
  private static final List<String> OF_OTHER_MODELS =
      List.of(
          "layer_replication",
          "alora_invocation_tokens",
          "use_qalora",
          "use_bdlora",
          "kasa_config",
          "monteclora_config");

  /** Starts for which PEFT takes weights out of the base, each time that it loads the adapter. */
  private static final List<String> CHANGE_THE_BASE =
      List.of("pissa", "olora", "corda", "loftq", "lora_ga");

  /** What a tensor belongs to. */
  private record Key(String layer, String part) {
    /** Files of old versions have an adapter's name behind the part's. */
    static Optional<Key> of(String name) {
      for (Part part : AdapterMethods.parts()) {
        String end = part.keys().peft();
        String stem = end.endsWith(WEIGHT) ? end.substring(0, end.length() - WEIGHT.length()) : end;
        Matcher m =
            Pattern.compile(
                    Pattern.quote(PeftFormat.PREFIX)
                        + "(.+)"
                        + Pattern.quote(stem)
                        + "(?:\\.[^.]+)?"
                        + Pattern.quote(end.substring(stem.length())))
                .matcher(name);
        if (m.matches()) {
          return Optional.of(new Key(m.group(1), part.name()));
        }
      }
      return Optional.empty();
    }
  }

  private final Path folder;
  private final JsonNode config;
  private final AdapterMethod method;
  private final Map<String, Map<String, TensorEntry>> layers;

  /** Weights trained as a whole, by the module's name. */
  private final Map<String, TensorEntry> whole;

  private PeftFolder(
      Path folder,
      JsonNode config,
      AdapterMethod method,
      Map<String, Map<String, TensorEntry>> layers,
      Map<String, TensorEntry> whole) {
    this.folder = folder;
    this.config = config;
    this.method = method;
    this.layers = layers;
    this.whole = whole;
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
    Map<String, Map<String, TensorEntry>> layers = new TreeMap<>();
    Map<String, TensorEntry> tensors =
        Safetensors.read(folder.resolve(PeftFormat.WEIGHTS)).tensors();
    Map<String, TensorEntry> whole = new TreeMap<>();
    for (Map.Entry<String, TensorEntry> t : tensors.entrySet()) {
      Optional<Key> key = Key.of(t.getKey());
      Optional<String> module = wholeModule(t.getKey(), tensors.keySet());
      if (isCopy(t.getKey(), tensors.keySet())) {
        continue;
      }
      if (key.isPresent()) {
        layers
            .computeIfAbsent(key.get().layer(), l -> new TreeMap<>())
            .put(key.get().part(), t.getValue());
      } else if (module.isPresent()) {
        whole.put(module.get(), t.getValue());
      } else {
        throw new UserException(folder + " " + foreign(t.getKey(), tensors.keySet()));
      }
    }
    AdapterMethod method =
        AdapterMethods.all().stream()
            .filter(m -> m.isDescribed(config))
            .findFirst()
            .orElse(AdapterMethods.DEFAULT);
    if (layers.isEmpty() && whole.isEmpty()
        || !layers.values().stream().allMatch(l -> form(method, l.keySet()).isPresent())) {
      throw new UserException(
          folder
              + " is "
              + method.name()
              + " by its configuration, but does not hold "
              + method.forms().stream()
                  .map(f -> String.join(" and ", AdapterMethods.partNames(f)))
                  .collect(Collectors.joining(", or "))
              + " alone for every layer; is it whole?");
    }
    requireSaved(file, config, whole.keySet());
    return new PeftFolder(folder, config, method, layers, whole);
  }

  /**
   * Whether a tensor is one of the two that PEFT also saves of an embedding or head that was
   * resized: the base's, and once more what stands under the module's own name.
   */
  private static boolean isCopy(String tensor, Set<String> all) {
    return Stream.of(".original_module", ".modules_to_save")
        .map(kind -> kind + WEIGHT)
        .anyMatch(
            end ->
                tensor.endsWith(end)
                    && wholeModule(tensor.replace(end, WEIGHT), all).isPresent()
                    && all.contains(tensor.replace(end, WEIGHT)));
  }

  /** Each module that was trained as a whole is there. */
  private static void requireSaved(Path file, JsonNode config, Set<String> whole) {
    for (JsonNode node : config.path("modules_to_save")) {
      String name = node.asText();
      if (whole.stream().noneMatch(m -> m.equals(name) || m.endsWith("." + name))) {
        throw new UserException(
            file
                + ": modules_to_save names "
                + name
                + ", whose weight is not in "
                + PeftFormat.WEIGHTS
                + "; is it whole?");
      }
    }
  }

  /** The embedding's or the head's name, if a tensor is its whole weight. */
  private static Optional<String> wholeModule(String tensor, Set<String> all) {
    boolean saved =
        tensor.startsWith(PeftFormat.PREFIX)
            && (tensor.endsWith("." + SavedModules.EMBEDDING + WEIGHT)
                || tensor.equals(PeftFormat.PREFIX + SavedModules.HEAD + WEIGHT))
            // PEFT saves an adapted embedding whole beside its adapter.
            && all.stream().noneMatch(n -> n.contains("lora_embedding"));
    return saved
        ? Optional.of(
            tensor.substring(PeftFormat.PREFIX.length(), tensor.length() - WEIGHT.length()))
        : Optional.empty();
  }

  boolean holdsWhole() {
    return !whole.isEmpty();
  }

  /** The form that keeps exactly these parts. */
  private static Optional<AdapterMethod> form(AdapterMethod method, Set<String> parts) {
    return method.forms().stream()
        .filter(f -> parts.equals(Set.copyOf(AdapterMethods.partNames(f))))
        .findFirst();
  }

  private static void requireSupported(Path file, JsonNode config) {
    if (AdapterMethods.all().stream().noneMatch(m -> m.isDescribed(config))) {
      throw new UserException(
          file + ": peft_type is " + config.path("peft_type") + ", which is not supported.");
    }
    if (config.path("fan_in_fan_out").asBoolean()) {
      throw new UserException(file + ": fan_in_fan_out is not supported.");
    }
    requirePlain(file, config);
    JsonNode rows = config.path("trainable_token_indices");
    if (!rows.isEmpty()) {
      throw new UserException(
          file
              + ": trainable_token_indices names "
              + rows
              + ", single rows of the embedding, which is not supported. Train all of it"
              + " (modules_to_save), or merge the adapter into its base with PEFT"
              + " (merge_and_unload) and use the result as the base.");
    }
  }

  /**
   * What makes PEFT compute something else with the same tensors. Other starts than {@link
   * #CHANGE_THE_BASE} leave the base as it is, so how an adapter began does not matter.
   */
  private static void requirePlain(Path file, JsonNode config) {
    for (String key : OF_OTHER_MODELS) {
      JsonNode value = config.path(key);
      if (!value.isEmpty() || value.asBoolean()) {
        throw new UserException(
            file + ": " + key + " is " + value + ", which changes the model; it is not supported.");
      }
    }
    String start = config.path("init_lora_weights").asText().toLowerCase(Locale.ROOT);
    if (CHANGE_THE_BASE.stream().anyMatch(start::startsWith)) {
      throw new UserException(
          String.format(
              "%s: init_lora_weights is \"%s\", which takes a part out of the base's weights, so"
                  + " the adapter does not fit the base. Save it again with PEFT's"
                  + " path_initial_model_for_weight_conversion, which makes a plain LoRA of it.",
              file, start));
    }
  }

  /** What a tensor is that no linear layer's adapter has. */
  private static String foreign(String name, Set<String> all) {
    // PEFT saves an adapted embedding whole beside its adapter.
    Optional<String> embedding = all.stream().filter(n -> n.contains("lora_embedding")).findFirst();
    if (embedding.isPresent()) {
      return "adapts an embedding ("
          + embedding.get()
          + "), which is not supported; linear layers are.";
    }
    return "holds the tensor "
        + name
        + ", which is no part of a low-rank adapter; of what was trained as a whole"
        + " (modules_to_save, bias) the embedding and the head alone are supported.";
  }

  /** One spec for all layers of the same rank and alpha. */
  List<LoraSpec> specs(List<Adapters.Target> targets) {
    Map<LoraSpec, List<String>> paths = new LinkedHashMap<>();
    layers(targets)
        .forEach(
            (path, layer) ->
                paths
                    .computeIfAbsent(spec(layer, path, List.of()), s -> new ArrayList<>())
                    .add(path));
    List<LoraSpec> specs = new ArrayList<>();
    paths.forEach(
        (s, of) ->
            specs.add(
                s.method().replaces()
                    ? SavedModules.spec(of)
                    : spec(s.method(), s.rank(), of.get(0), of)));
    return specs;
  }

  private LoraSpec spec(AdaptedLayer layer, String path, List<String> paths) {
    return spec(layer.method(), layer.rank(), path, paths);
  }

  private LoraSpec spec(AdapterMethod form, int rank, String path, List<String> paths) {
    return new LoraSpec(
        form,
        rank,
        alpha(path),
        config.path("lora_dropout").asDouble(),
        paths,
        config.path("use_rslora").asBoolean(),
        1);
  }

  /** The numbers; alpha as if scales were alpha / rank. */
  Map<String, AdaptedLayer> layers(List<Adapters.Target> targets) {
    Map<String, Adapters.Target> known = new TreeMap<>();
    targets.stream().filter(t -> !SavedModules.isOne(t)).forEach(t -> known.put(t.path(), t));
    Map<String, AdaptedLayer> read = new TreeMap<>();
    layers.forEach(
        (name, tensors) -> {
          String path = PeftParameters.path(name, config, targets).orElse(name);
          Adapters.Target target = known.get(path);
          if (target == null) {
            throw new UserException(folder + " adapts " + path + whyNot(path, targets));
          }
          read.put(path, layer(target, tensors));
        });
    readWhole(new SavedModules(targets), read);
    return read;
  }

  private void readWhole(SavedModules saved, Map<String, AdaptedLayer> read) {
    whole.forEach(
        (module, tensor) -> {
          Adapters.Target target =
              saved
                  .of(module)
                  .orElseThrow(
                      () ->
                          new UserException(
                              folder
                                  + " holds "
                                  + module
                                  + ", trained as a whole, which the base model has not; was it"
                                  + " made for another base?"));
          requireTied(saved, target);
          if (!tensor.shape().equals(List.of(target.out(), target.in()))) {
            throw new UserException(
                String.format(
                    "%s: %s is %s, but the base model's %s is %d × %d; was it made for another"
                        + " base?",
                    folder, tensor.name(), tensor.shape(), module, target.out(), target.in()));
          }
          read.put(
              target.path(),
              new AdaptedLayer(
                  target,
                  WholeMethod.INSTANCE,
                  1,
                  1,
                  Map.of(WholeMethod.WEIGHT, Safetensors.numbers(tensor)),
                  false));
        });
  }

  /** A base whose head is its embedding stays so; PEFT parts them unless it is told not to. */
  private void requireTied(SavedModules saved, Adapters.Target target) {
    if (saved.tied().filter(target::equals).isEmpty()
        || config.path("ensure_weight_tying").asBoolean()) {
      return;
    }
    List<TensorEntry> both = saved.modules(target).stream().map(whole::get).toList();
    if (both.contains(null)
        || !Safetensors.numbers(both.get(0))
            .areLike(Safetensors.numbers(both.get(1)), (x, y) -> Float.compare(x, y) == 0)) {
      throw new UserException(
          folder
              + " was trained with the head apart from the embedding, but the base model has one"
              + " matrix for both (tied). Train it with ensure_weight_tying=True, or merge it into"
              + " its base with PEFT (merge_and_unload) and use the result as the base.");
    }
  }

  private static String whyNot(String path, List<Adapters.Target> targets) {
    if (path.endsWith("lm_head") || path.endsWith("embed_tokens")) {
      return ", but low-rank adapters on the embedding or the head are not supported; what trains"
          + " them as a whole (modules_to_save) is.";
    }
    boolean mixture = targets.stream().anyMatch(t -> t.experts() > 0);
    if (mixture && (path.endsWith(".gate") || path.endsWith(".router"))) {
      return ", the router of a mixture, which is not supported. Train without it: name layers in"
          + " PEFT's target_modules, where all-linear takes the router too.";
    }
    if (mixture && path.matches(".*\\.experts\\.\\d+\\..*")) {
      return ", one expert by itself, as before transformers 5; such files are not read, nor does"
          + " PEFT 0.21. Train it anew with one adapter for all experts (target_parameters).";
    }
    return ", which the base model has not; was it made for another base?";
  }

  private AdaptedLayer layer(Adapters.Target target, Map<String, TensorEntry> tensors) {
    AdapterMethod form = form(method, tensors.keySet()).orElseThrow().fitted(tensors);
    List<Part> any = form.parts(target, 1);
    int rank =
        form.rank(target, tensors)
            .orElseGet(() -> (int) pattern("rank_pattern", "r", target.path()));
    boolean fits = rank > 0;
    Part.FileLayer file = new Part.FileLayer(target, false, false);
    for (Part part : form.parts(target, Math.max(rank, 1))) {
      fits &= tensors.get(part.name()).shape().equals(part.fileShape(file));
    }
    Optional<Map<String, float[]>> numbers =
        fits ? form.read(target, rank, tensors) : Optional.empty();
    if (numbers.isEmpty()) {
      throw new UserException(
          String.format(
              "%s: %s of %s have the shapes %s, but the base model's layer is %d × %d; was it made"
                  + " for another base?",
              folder,
              any.stream().map(Part::name).collect(Collectors.joining(" and ")),
              target.path(),
              any.stream()
                  .map(p -> tensors.get(p.name()).shape().toString())
                  .collect(Collectors.joining(" and ")),
              target.out(),
              target.in()));
    }
    double alpha = spec(form, rank, target.path(), List.of()).scale() * rank;
    return new AdaptedLayer(target, form, rank, alpha, Numbers.of(numbers.get()), false);
  }

  private double alpha(String path) {
    return pattern("alpha_pattern", method.alphaKey(), path);
  }

  private double pattern(String patterns, String all, String path) {
    return PeftPatterns.number(
        folder.resolve(PeftFormat.CONFIG),
        config,
        patterns,
        path,
        config.path(all).asDouble(config.path("r").asDouble()));
  }
}

package org.loranative.lora;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.loranative.UserException;
import org.loranative.io.DType;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorFile;

/**
 * Adapters of diffusion models as other tools write them: kohya's files, diffusers' files and
 * PEFT's folders.
 */
public final class LoraFiles {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String DIFFUSERS_METADATA = "lora_adapter_metadata";

  private LoraFiles() {}

  /** The keys of a module in one way of naming: its A, its B and perhaps its alpha. */
  private record Keys(String a, String b, Optional<String> alpha) {}

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
    Alphas alphas = folder ? Alphas.ofPeft(path) : Alphas.ofDiffusers(path, file);
    Map<String, LowRank> modules = new LinkedHashMap<>();
    Set<String> used = new HashSet<>();
    for (Adapters.Target target : targets) {
      for (Keys keys : names(target.path())) {
        TensorEntry a = file.tensors().get(keys.a());
        TensorEntry b = file.tensors().get(keys.b());
        if (a == null || b == null) {
          continue;
        }
        used.add(keys.a());
        used.add(keys.b());
        Optional<TensorEntry> alpha = keys.alpha().map(file.tensors()::get);
        alpha.ifPresent(e -> used.add(e.name()));
        modules.put(target.path(), module(path, target, a, b, alpha, alphas));
      }
    }
    List<String> unknown =
        file.tensors().keySet().stream().filter(k -> !used.contains(k)).sorted().toList();
    if (modules.isEmpty() || !unknown.isEmpty()) {
      throw new UserException(
          String.format(
              "%s holds %d tensors for layers that this base model has not, such as %s; it was"
                  + " made for another base, or holds something else than LoRA.",
              path, unknown.size(), unknown.isEmpty() ? "none" : unknown.get(0)));
    }
    return modules;
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
            String name = path.replaceFirst("^(text_encoder(_2)?)\\.", "$1.text_model.");
            tensors.add(tensor(name + ".lora_A.weight", shapeOfA(m), m.fileA()));
            tensors.add(tensor(name + ".lora_B.weight", shapeOfB(m), m.b()));
          }
        });
    Map<String, String> kept = new LinkedHashMap<>(metadata);
    kept.remove(DIFFUSERS_METADATA);
    if (format == Format.DIFFUSERS) {
      kept.put(DIFFUSERS_METADATA, Alphas.describe(modules));
    }
    Safetensors.write(file, tensors, kept);
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

  private static List<Keys> names(String path) {
    List<Keys> names = new ArrayList<>();
    for (String kohya : KohyaNames.of(path)) {
      names.add(
          new Keys(
              kohya + ".lora_down.weight",
              kohya + ".lora_up.weight",
              Optional.of(kohya + ".alpha")));
    }
    String inside = path.substring(path.indexOf('.') + 1);
    boolean unet = path.startsWith("unet.");
    String withModel = path.replaceFirst("^(text_encoder(_2)?)\\.", "$1.text_model.");
    for (String diffusers : unet ? List.of(path) : List.of(path, withModel)) {
      names.add(
          new Keys(diffusers + ".lora_A.weight", diffusers + ".lora_B.weight", Optional.empty()));
      names.add(
          new Keys(
              diffusers + ".lora.down.weight", diffusers + ".lora.up.weight", Optional.empty()));
    }
    if (unet) {
      String peft = "base_model.model." + inside;
      names.add(new Keys(peft + ".lora_A.weight", peft + ".lora_B.weight", Optional.empty()));
    }
    return names;
  }

  private static LowRank module(
      Path path,
      Adapters.Target target,
      TensorEntry a,
      TensorEntry b,
      Optional<TensorEntry> alpha,
      Alphas alphas) {
    int rank = Math.toIntExact(a.shape().isEmpty() ? 0 : a.shape().get(0));
    // A convolution has [rank, channels, kernel, kernel].
    if (rank < 1 || a.elements() != rank * target.in() || b.elements() != rank * target.out()) {
      throw new UserException(
          String.format(
              "%s: %s %s and %s %s do not fit the layer %s of %d x %d.",
              path,
              a.name(),
              a.shape(),
              b.name(),
              b.shape(),
              target.path(),
              target.out(),
              target.in()));
    }
    double scale =
        alpha.map(e -> (double) Safetensors.floats(e)[0]).orElseGet(() -> alphas.of(target, rank));
    return new LowRank(
        target,
        rank,
        scale,
        LowRank.ofFile(Safetensors.floats(a), target, rank),
        Safetensors.floats(b),
        a.shape().size() == 4);
  }

  /** Alphas that stand beside the tensors; without any, alpha is the rank. */
  private record Alphas(Path path, Map<String, JsonNode> byPart) {
    static Alphas ofPeft(Path folder) {
      return new Alphas(folder, Map.of("unet", parse(folder, readText(folder))));
    }

    private static String readText(Path folder) {
      try {
        return Files.readString(folder.resolve("adapter_config.json"));
      } catch (IOException e) {
        throw new UserException(folder + " has no readable adapter_config.json.", e);
      }
    }

    /** What diffusers keeps in the file's metadata: each part's PEFT configuration. */
    static Alphas ofDiffusers(Path path, TensorFile file) {
      Map<String, JsonNode> parts = new HashMap<>();
      if (file.metadata().get(DIFFUSERS_METADATA) instanceof String text) {
        JsonNode all = parse(path, text);
        for (String part : List.of("unet", "text_encoder", "text_encoder_2")) {
          var config = JSON.createObjectNode();
          all.fields()
              .forEachRemaining(
                  f -> {
                    if (f.getKey().startsWith(part + ".")) {
                      config.set(f.getKey().substring(part.length() + 1), f.getValue());
                    }
                  });
          parts.put(part, config);
        }
      }
      return new Alphas(path, parts);
    }

    /** The same, for writing: rank and alpha of each part, and of modules that differ. */
    static String describe(Map<String, LowRank> modules) {
      ObjectNode all = JSON.createObjectNode();
      for (String part : List.of("unet", "text_encoder", "text_encoder_2")) {
        Map<String, LowRank> own = new LinkedHashMap<>();
        modules.forEach(
            (path, m) -> {
              if (path.startsWith(part + ".")) {
                String inside = path.substring(part.length() + 1);
                own.put(part.equals("unet") ? inside : "text_model." + inside, m);
              }
            });
        if (own.isEmpty()) {
          continue;
        }
        LowRank first = own.values().iterator().next();
        all.put(part + ".r", first.rank());
        all.put(part + ".lora_alpha", first.alpha());
        own.keySet().forEach(all.withArray("/" + part + ".target_modules")::add);
        ObjectNode ranks = JSON.createObjectNode();
        ObjectNode alphas = JSON.createObjectNode();
        own.forEach(
            (name, m) -> {
              if (m.rank() != first.rank()) {
                ranks.put(name, m.rank());
              }
              if (m.alpha() != first.alpha()) {
                alphas.put(name, m.alpha());
              }
            });
        all.set(part + ".rank_pattern", ranks);
        all.set(part + ".alpha_pattern", alphas);
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

    double of(Adapters.Target target, int rank) {
      int dot = target.path().indexOf('.');
      JsonNode config = byPart.get(target.path().substring(0, dot));
      if (config == null) {
        return rank;
      }
      if (config.path("use_dora").asBoolean()) {
        throw new UserException(path + ": DoRA is not supported.");
      }
      String module = target.path().substring(dot + 1);
      double alpha = config.path("lora_alpha").asDouble(rank);
      var patterns = config.path("alpha_pattern").fields();
      while (patterns.hasNext()) { // PEFT: the end of a module's name
        Map.Entry<String, JsonNode> pattern = patterns.next();
        String end = pattern.getKey().replaceFirst("^text_model\\.", "");
        if (module.equals(end) || module.endsWith("." + end)) {
          alpha = pattern.getValue().asDouble();
        }
      }
      return config.path("use_rslora").asBoolean() ? alpha * Math.sqrt(rank) : alpha;
    }
  }
}

package org.loranative.lora;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.loranative.UserException;
import org.loranative.io.AtomicFiles;
import org.loranative.io.DType;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorFile;

/**
 * PEFT's folder: {@code adapter_model.safetensors} with {@code
 * base_model.model.<path>.lora_A.weight}, and {@code adapter_config.json}.
 */
public final class PeftFormat {
  private static final String PREFIX = "base_model.model.";
  private static final String WEIGHTS = "adapter_model.safetensors";
  private static final String CONFIG = "adapter_config.json";
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private PeftFormat() {}

  /** Writes {@code params}, a flat buffer of {@code adapters}, into {@code folder}. */
  public static void write(Path folder, Adapters adapters, float[] params, String baseModel)
      throws IOException {
    List<Safetensors.Tensor> tensors = new ArrayList<>();
    Set<String> targets = new LinkedHashSet<>();
    for (Adapters.Module m : adapters.modules()) {
      targets.add(m.path().substring(m.path().lastIndexOf('.') + 1));
      long rank = m.rank();
      tensors.add(
          tensor(m.path() + ".lora_A", List.of(rank, m.in()), params, m.aOffset(), m.aSize()));
      tensors.add(
          tensor(m.path() + ".lora_B", List.of(m.out(), rank), params, m.bOffset(), m.bSize()));
    }
    Safetensors.write(folder.resolve(WEIGHTS), tensors, Map.of("format", "pt"));
    LoraSpec spec = adapters.specs().get(0);
    ObjectNode config = JSON.createObjectNode();
    config.put("peft_type", "LORA");
    config.put("task_type", "CAUSAL_LM");
    config.put("base_model_name_or_path", baseModel);
    config.put("r", spec.rank());
    config.put("lora_alpha", spec.alpha());
    config.put("lora_dropout", spec.dropout());
    config.put("use_rslora", spec.rslora());
    config.put("bias", "none");
    config.put("fan_in_fan_out", false);
    config.put("init_lora_weights", true);
    config.put("inference_mode", true);
    ObjectNode ranks = config.putObject("rank_pattern");
    ObjectNode alphas = config.putObject("alpha_pattern");
    for (Adapters.Module m : adapters.modules()) {
      if (m.rank() != spec.rank()) {
        ranks.put(m.path(), m.rank());
      }
      if (m.spec().alpha() != spec.alpha()) {
        alphas.put(m.path(), m.spec().alpha());
      }
    }
    ArrayNode names = config.putArray("target_modules");
    targets.forEach(names::add);
    byte[] json = JSON.writeValueAsBytes(config);
    AtomicFiles.write(folder.resolve(CONFIG), out -> out.write(json));
  }

  private static Safetensors.Tensor tensor(
      String name, List<Long> shape, float[] params, long offset, int size) {
    ByteBuffer data = ByteBuffer.allocate(size * 4).order(ByteOrder.LITTLE_ENDIAN);
    data.asFloatBuffer().put(params, (int) offset, size);
    return new Safetensors.Tensor(PREFIX + name + ".weight", DType.F32, shape, data);
  }

  /**
   * What {@code adapter_config.json} of {@code folder} says, as specs for training or use: the
   * general one, then those of the layers that {@code rank_pattern} and {@code alpha_pattern} name.
   */
  public static List<LoraSpec> readSpecs(Path folder) {
    Path file = folder.resolve(CONFIG);
    if (!Files.exists(file)) {
      throw new UserException(
          folder + " is not a PEFT adapter: it has no " + CONFIG + " (and " + WEIGHTS + ").");
    }
    JsonNode config;
    try {
      config = JSON.readTree(file.toFile());
    } catch (IOException e) {
      throw new UserException(file + " is not JSON: " + e.getMessage(), e);
    }
    if (!config.path("peft_type").asText().equals("LORA")) {
      throw new UserException(
          file + ": peft_type is " + config.path("peft_type") + "; only LORA is supported.");
    }
    for (String unsupported : List.of("use_dora", "fan_in_fan_out")) {
      if (config.path(unsupported).asBoolean()) {
        throw new UserException(file + ": " + unsupported + " is not supported.");
      }
    }
    int rank = config.path("r").asInt();
    if (rank < 1) {
      throw new UserException(file + ": r is " + config.path("r") + "; it must be at least 1.");
    }
    List<String> targets = new ArrayList<>();
    JsonNode names = config.path("target_modules");
    if (names.isTextual()) {
      targets.add(names.asText());
    }
    names.forEach(n -> targets.add(n.asText()));
    double alpha = config.path("lora_alpha").asDouble(rank);
    double dropout = config.path("lora_dropout").asDouble();
    boolean rslora = config.path("use_rslora").asBoolean();
    Set<String> patterns = new LinkedHashSet<>();
    config.path("rank_pattern").fieldNames().forEachRemaining(patterns::add);
    config.path("alpha_pattern").fieldNames().forEachRemaining(patterns::add);
    List<LoraSpec> specs = new ArrayList<>();
    specs.add(new LoraSpec(rank, alpha, dropout, targets, rslora));
    for (String name : patterns) {
      specs.add(
          new LoraSpec(
              config.path("rank_pattern").path(name).asInt(rank),
              config.path("alpha_pattern").path(name).asDouble(alpha),
              dropout,
              List.of(name),
              rslora));
    }
    return specs;
  }

  /** Reads an adapter's numbers into the layout of {@code adapters}; shapes must agree. */
  public static float[] read(Path folder, Adapters adapters) {
    TensorFile file = Safetensors.read(folder.resolve(WEIGHTS));
    float[] params = new float[Math.toIntExact(adapters.floats())];
    int found = 0;
    for (Adapters.Module m : adapters.modules()) {
      long rank = m.rank();
      found += copy(file, folder, m.path() + ".lora_A", List.of(rank, m.in()), params, m.aOffset());
      found +=
          copy(file, folder, m.path() + ".lora_B", List.of(m.out(), rank), params, m.bOffset());
    }
    if (found < file.tensors().size()) {
      throw new UserException(
          String.format(
              "%s holds %d tensors that the adapted layers do not use; was it made for another"
                  + " base or other lora_targets?",
              folder, file.tensors().size() - found));
    }
    return params;
  }

  private static int copy(
      TensorFile file, Path folder, String name, List<Long> shape, float[] params, long offset) {
    TensorEntry entry = file.tensors().get(PREFIX + name + ".weight");
    if (entry == null) {
      throw new UserException(
          folder + " has no tensor for " + name + "; was it made for another base or targets?");
    }
    if (!entry.shape().equals(shape)) {
      throw new UserException(
          String.format(
              "%s: %s has the shape %s, but the base model and lora_rank need %s.",
              folder, name, entry.shape(), shape));
    }
    float[] values = Safetensors.floats(entry);
    System.arraycopy(values, 0, params, (int) offset, values.length);
    return 1;
  }
}

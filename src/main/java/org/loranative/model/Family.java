package org.loranative.model;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What one family of language models does that others do not: a file of {@code models/}. Numbers
 * come from the checkpoint's own config.
 *
 * @param architectures values of {@code architectures} in config.json
 * @param ggufArchitectures values of {@code general.architecture} in a GGUF
 * @param fusedProjections q, k, v are one projection, gate and up another
 * @param qkNorm RMSNorm on each head of q and k before rotation
 * @param sandwichNorms a norm after each half as well as before it
 * @param normOffset added to every norm's weight (GGUF files hold the sum already)
 * @param scaledEmbedding embeddings times √hidden
 * @param sliding which layers use the sliding window: {@code all}, {@code by_layer_types} (as the
 *     config lists them), or {@code every} (all but each {@code slidingPeriod}-th)
 * @param localRopeTheta rotary base of sliding layers, 0 for the same as the others
 * @param ggufPermuted q and k rows are interleaved in GGUF files
 * @param ggufNames names that differ from the common ones, without layer prefix
 */
public record Family(
    String name,
    List<String> architectures,
    List<String> ggufArchitectures,
    boolean fusedProjections,
    boolean qkNorm,
    boolean sandwichNorms,
    float normOffset,
    boolean scaledEmbedding,
    String sliding,
    int slidingPeriod,
    double localRopeTheta,
    boolean ggufPermuted,
    Map<String, String> ggufNames) {

  /** The files of {@code models/} that the jar carries. */
  private static final List<String> NAMES =
      List.of("llama", "qwen2", "qwen3", "gemma2", "gemma3", "phi3");

  /** Hugging Face module names to GGUF's, inside a layer and outside. */
  private static final Map<String, String> COMMON_GGUF_NAMES =
      Map.ofEntries(
          Map.entry("input_layernorm", "attn_norm"),
          Map.entry("post_attention_layernorm", "ffn_norm"),
          Map.entry("self_attn.q_proj", "attn_q"),
          Map.entry("self_attn.k_proj", "attn_k"),
          Map.entry("self_attn.v_proj", "attn_v"),
          Map.entry("self_attn.qkv_proj", "attn_qkv"),
          Map.entry("self_attn.o_proj", "attn_output"),
          Map.entry("self_attn.q_norm", "attn_q_norm"),
          Map.entry("self_attn.k_norm", "attn_k_norm"),
          Map.entry("mlp.gate_proj", "ffn_gate"),
          Map.entry("mlp.up_proj", "ffn_up"),
          Map.entry("mlp.down_proj", "ffn_down"));

  public Family {
    ggufNames = ggufNames == null ? Map.of() : Map.copyOf(ggufNames);
  }

  /** All families. */
  public static List<Family> all() {
    YAMLMapper yaml =
        YAMLMapper.builder().propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE).build();
    List<Family> families = new ArrayList<>();
    for (String name : NAMES) {
      try (InputStream in = Family.class.getResourceAsStream("/models/" + name + ".yaml")) {
        families.add(yaml.readValue(in, Family.class).named(name));
      } catch (JacksonException e) {
        throw new IllegalStateException("models/" + name + ".yaml", e);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return families;
  }

  private Family named(String newName) {
    return new Family(
        newName,
        architectures,
        ggufArchitectures,
        fusedProjections,
        qkNorm,
        sandwichNorms,
        normOffset,
        scaledEmbedding,
        sliding,
        slidingPeriod,
        localRopeTheta,
        ggufPermuted,
        ggufNames);
  }

  public static Optional<Family> ofArchitecture(String architecture) {
    return all().stream().filter(f -> f.architectures().contains(architecture)).findFirst();
  }

  public static Optional<Family> ofGguf(String architecture) {
    return all().stream().filter(f -> f.ggufArchitectures().contains(architecture)).findFirst();
  }

  /** All supported architectures, for messages. */
  public static String supported() {
    return all().stream()
        .flatMap(f -> f.architectures().stream())
        .collect(Collectors.joining(", "));
  }

  /** GGUF's name of a tensor that Hugging Face calls {@code name}. */
  public String ggufName(String name) {
    int dot = name.lastIndexOf('.');
    String module = name.substring(0, dot);
    String kind = name.substring(dot);
    switch (module) {
      case "model.embed_tokens":
        return "token_embd" + kind;
      case "model.norm":
        return "output_norm" + kind;
      case "lm_head":
        return "output" + kind;
      default:
        String[] parts = module.split("\\.", 4); // model, layers, index, rest
        String rest = parts[3];
        String translated = ggufNames.getOrDefault(rest, COMMON_GGUF_NAMES.get(rest));
        return "blk." + parts[2] + "." + translated + kind;
    }
  }
}

package org.loranative.model.llm;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.loranative.UserException;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorFile;

/** A GGUF's metadata under the names of Hugging Face's config.json. */
final class GgufConfig {
  /** How many times slower the rotations of layers that do not slide are than plain ones. */
  static final String FACTORS = "rope_freqs.weight";

  private GgufConfig() {}

  private static final Map<String, String> NAMES =
      Map.ofEntries(
          Map.entry("embedding_length", "hidden_size"),
          Map.entry("block_count", "num_hidden_layers"),
          Map.entry("feed_forward_length", "intermediate_size"),
          Map.entry("expert_count", "num_experts"),
          Map.entry("expert_used_count", "num_experts_per_tok"),
          Map.entry("expert_feed_forward_length", "moe_intermediate_size"),
          Map.entry("expert_shared_feed_forward_length", "shared_expert_intermediate_size"),
          Map.entry("expert_shared_count", "n_shared_experts"),
          Map.entry("expert_weights_scale", "routed_scaling_factor"),
          Map.entry("expert_weights_norm", "norm_topk_prob"),
          Map.entry("expert_group_count", "n_group"),
          Map.entry("expert_group_used_count", "topk_group"),
          Map.entry("leading_dense_block_count", "first_k_dense_replace"),
          Map.entry("attention.head_count", "num_attention_heads"),
          Map.entry("attention.head_count_kv", "num_key_value_heads"),
          Map.entry("attention.key_length", "head_dim"),
          Map.entry("attention.layer_norm_rms_epsilon", "rms_norm_eps"),
          Map.entry("attention.sliding_window", "sliding_window"),
          Map.entry("attn_logit_softcapping", "attn_logit_softcapping"),
          Map.entry("final_logit_softcapping", "final_logit_softcapping"),
          Map.entry("embedding_scale", "embedding_multiplier"),
          Map.entry("residual_scale", "residual_multiplier"),
          Map.entry("attention.scale", "attention_multiplier"),
          Map.entry("logit_scale", "logits_scaling"),
          Map.entry("context_length", "max_position_embeddings"),
          Map.entry("rope.freq_base", "rope_theta"));

  /** Behind {@code rope.scaling.}, names of YaRN's numbers. */
  static final Map<String, String> YARN =
      Map.of(
          "yarn_beta_fast", "beta_fast",
          "yarn_beta_slow", "beta_slow",
          "yarn_log_multiplier", "mscale_all_dim");

  /** What is not translated one to one, by our name. */
  private static final Map<String, String> OTHERS =
      Map.of(
          "partial_rotary_factor",
          "rope.dimension_count",
          "num_kv_shared_layers",
          GgufLayers.SHARING);

  /** What a file calls the key {@code ours}, for messages. */
  static String key(String architecture, String ours) {
    if (ours.equals("vocab_size")) {
      return "tokenizer.ggml.tokens";
    }
    if (ours.equals("layer_types")) {
      boolean recurs = !architecture.startsWith("gemma");
      return architecture + "." + (recurs ? GgufDelta.RECURRENT : GgufLayers.SLIDES);
    }
    return Stream.of(OTHERS, GgufDelta.NAMES)
        .filter(names -> names.containsKey(ours))
        .map(names -> names.get(ours))
        .findFirst()
        .or(
            () ->
                NAMES.entrySet().stream()
                    .filter(e -> e.getValue().equals(ours))
                    .map(Map.Entry::getKey)
                    .findFirst())
        .map(theirs -> architecture + "." + theirs)
        .orElse(ours);
  }

  private static final Pattern LAYER = Pattern.compile("blk\\.(\\d{1,9})\\.");

  static Map<String, Object> translate(String architecture, TensorFile file) {
    Map<String, Object> metadata = file.metadata();
    Map<String, Object> config = new HashMap<>();
    NAMES.forEach(
        (theirs, ours) -> {
          Object value = metadata.get(architecture + "." + theirs);
          if (value != null) {
            config.put(ours, value);
          }
        });
    config.put("vocab_size", vocabulary(file));
    if (config.get("num_hidden_layers") instanceof Long layers) {
      requireNoMore(layers, architecture, file);
      if (metadata.get(architecture + ".nextn_predict_layers") instanceof Long more) {
        config.put("num_hidden_layers", layers - more); // those that predict further tokens
      }
    }
    if (architecture.equals("glm4moe")) {
      config.put("use_qk_norm", file.tensors().containsKey("blk.0.attn_q_norm.weight"));
    }
    if (architecture.equals("qwen3moe")) {
      config.put("norm_topk_prob", true); // as llama.cpp computes it; files do not say
    }
    if (architecture.equals("qwen2moe")) {
      widthsOfExperts(config);
    }
    if (architecture.startsWith("gemma")) {
      config.put("hidden_act", "gelu_pytorch_tanh");
      gemmaQueryScale(architecture, config);
    }
    if (metadata.get(architecture + ".rope.dimension_count") instanceof Long rotary
        && !architecture.startsWith("gemma")) {
      headWidth(config).ifPresent(w -> config.put("partial_rotary_factor", (double) rotary / w));
    }
    String scaling = architecture + ".rope.scaling.";
    if (metadata.get(scaling + "type") instanceof String type && !type.equals("none")) {
      Map<String, Object> rope = new HashMap<>();
      rope.put("rope_type", type);
      rope.put("factor", metadata.get(scaling + "factor"));
      rope.put(
          "original_max_position_embeddings", metadata.get(scaling + "original_context_length"));
      YARN.forEach(
          (theirs, ours) -> {
            if (metadata.get(scaling + theirs) instanceof Number n) {
              rope.put(ours, n);
            }
          });
      if (rope.containsKey("mscale_all_dim")) {
        rope.put("mscale", 1.0); // what llama.cpp takes it for
      }
      if (metadata.get(architecture + ".attention.temperature_scale") instanceof Number beta) {
        rope.put("llama_4_scaling_beta", beta);
      }
      config.put("rope_scaling", rope);
    }
    TensorEntry slowing = file.tensors().get(FACTORS);
    new GgufDelta(architecture).translate(file, config);
    new GgufLayers(architecture)
        .translate(file, slowing == null ? List.of() : numbers(slowing), config);
    TensorEntry factors = file.tensors().get("rope_factors_short.weight");
    if (factors != null) {
      Map<String, Object> rope = new HashMap<>();
      rope.put("rope_type", "longrope");
      rope.put("short_factor", numbers(factors));
      rope.put("attention_factor", metadata.get(scaling + "attn_factor"));
      rope.put(
          "original_max_position_embeddings", metadata.get(scaling + "original_context_length"));
      config.put("rope_scaling", rope);
    }
    return config;
  }

  private static void requireNoMore(long layers, String architecture, TensorFile file) {
    for (TensorEntry entry : file.tensors().values()) {
      Matcher layer = LAYER.matcher(entry.name());
      if (layer.lookingAt() && Long.parseLong(layer.group(1)) >= layers) {
        throw new UserException(
            String.format(
                "%s: %s.block_count is %d, but the file holds %s; take it from where it was made.",
                entry.file(), architecture, layers, entry.name()));
      }
    }
  }

  /** Files of 2024 leave them out: a token's experts, and the shared one, are as wide as an MLP. */
  private static void widthsOfExperts(Map<String, Object> config) {
    if (config.get("intermediate_size") instanceof Long width
        && config.get("num_experts_per_tok") instanceof Long chosen
        && chosen > 0) {
      config.putIfAbsent("moe_intermediate_size", width / chosen);
      config.putIfAbsent("shared_expert_intermediate_size", width);
    }
  }

  /** Channels of a head; empty where the file does not tell. */
  private static Optional<Long> headWidth(Map<String, Object> config) {
    if (config.get("head_dim") instanceof Long width) {
      return Optional.of(width);
    }
    return config.get("hidden_size") instanceof Long hidden
            && config.get("num_attention_heads") instanceof Long heads
            && heads > 0
        ? Optional.of(hidden / heads)
        : Optional.empty();
  }

  /** A small tensor of f32, as {@code config.json} would list its numbers. */
  private static List<Float> numbers(TensorEntry entry) {
    if (!entry.type().equals("F32")) {
      throw new UserException(entry.file() + ": " + entry.name() + " is not F32.");
    }
    FloatBuffer data = Safetensors.data(entry).asFloatBuffer();
    List<Float> numbers = new ArrayList<>();
    while (data.hasRemaining()) {
      numbers.add(data.get());
    }
    return numbers;
  }

  private static long vocabulary(TensorFile file) {
    var embedding = file.tensors().get("token_embd.weight");
    if (embedding != null) {
      return embedding.shape().get(0);
    }
    return file.metadata().get("tokenizer.ggml.tokens") instanceof List<?> l ? l.size() : 0;
  }

  /** The 27B models divide by √(hidden / heads), which GGUF does not say; their depth tells. */
  private static void gemmaQueryScale(String architecture, Map<String, Object> config) {
    long depth = architecture.equals("gemma2") ? 46 : 62;
    if (config.get("num_hidden_layers") instanceof Long n
        && n == depth
        && config.get("hidden_size") instanceof Long hidden
        && config.get("num_attention_heads") instanceof Long heads) {
      config.put("query_pre_attn_scalar", hidden / heads);
    }
  }
}

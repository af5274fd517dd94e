package org.loranative.model.llm;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.loranative.io.GgufMetadata;
import org.loranative.io.TensorFile;
import org.loranative.model.weights.Weights;

/**
 * What a GGUF says of layers that are not all alike, there and back (llama.cpp's Gemma 4): those
 * that slide and those that do not have heads, windows and rotations of their own.
 *
 * @param architecture which the keys begin with
 */
record GgufLayers(String architecture) {
  private static final String WIDTH = "attention.key_length";
  private static final String LOCAL_WIDTH = "attention.key_length_swa";
  private static final String VALUE_WIDTH = "attention.value_length";
  private static final String LOCAL_VALUE_WIDTH = "attention.value_length_swa";
  static final String SLIDES = "attention.sliding_window_pattern";
  private static final String KV_HEADS = "attention.head_count_kv";
  static final String SHARING = "attention.shared_kv_layers";
  private static final String INPUTS = "embedding_length_per_layer_input";
  private static final String MLP = "feed_forward_length";
  private static final String THETA = "rope.freq_base";
  private static final String LOCAL_THETA = "rope.freq_base_swa";
  private static final String LOCAL_ROTARY = "rope.dimension_count_swa";

  /** A factor of rotations that is no rotation. */
  private static final float STILL = 1e20f;

  private String key(String name) {
    return architecture + "." + name;
  }

  /**
   * Adds to {@code config} what Hugging Face's says; nothing where all layers are alike.
   *
   * @param factors how many times slower rotations of layers that do not slide are than plain ones,
   *     if they are
   */
  void translate(TensorFile file, List<Float> factors, Map<String, Object> config) {
    Map<String, Object> metadata = file.metadata();
    if (!(metadata.get(key(LOCAL_WIDTH)) instanceof Number width)
        || !(metadata.get(key(WIDTH)) instanceof Number fullWidth)
        || !(metadata.get(key(SLIDES)) instanceof List<?> slides)
        || !metadata.containsKey(key(KV_HEADS))) {
      return;
    }
    List<Boolean> local = slides.stream().map(Boolean.TRUE::equals).toList();
    config.put(
        "layer_types",
        local.stream().map(s -> s ? "sliding_attention" : "full_attention").toList());
    config.put("head_dim", width);
    config.put("global_head_dim", fullWidth);
    Object kv = metadata.get(key(KV_HEADS));
    Object fullKv = of(kv, local.indexOf(false));
    config.put("num_key_value_heads", of(kv, local.indexOf(true)));
    config.put("num_global_key_value_heads", fullKv);
    config.put("intermediate_size", of(metadata.get(key(MLP)), 0));
    config.put("use_double_wide_mlp", metadata.get(key(MLP)) instanceof List<?>);
    config.put("hidden_size_per_layer_input", metadata.get(key(INPUTS)));
    Object sharing = metadata.get(key(SHARING));
    config.put("num_kv_shared_layers", sharing);
    int own = local.size() - (sharing instanceof Number n ? n.intValue() : 0);
    Map<String, Object> byLayer = new TreeMap<>();
    boolean keysAreValues = false;
    for (int i = 0; i < local.size(); i++) {
      if (!local.get(i)) {
        byLayer.put(
            String.format("%03d", i), Map.of("head_dim", fullWidth, "num_key_value_heads", fullKv));
        keysAreValues |= i < own && !file.tensors().containsKey("blk." + i + ".attn_v.weight");
      }
    }
    config.put("per_layer_config", byLayer);
    config.put("attention_k_eq_v", keysAreValues);
    config.put("enable_moe_block", file.tensors().containsKey("blk.0.ffn_gate_inp.weight"));
    Map<String, Object> full = new HashMap<>();
    full.put("rope_type", "proportional");
    full.put("partial_rotary_factor", turning(factors));
    full.put("rope_theta", metadata.get(key(THETA)));
    Map<String, Object> sliding = new HashMap<>();
    sliding.put("rope_type", "default");
    sliding.put("rope_theta", metadata.get(key(LOCAL_THETA)));
    config.put("rope_parameters", Map.of("full_attention", full, "sliding_attention", sliding));
  }

  /** A number that is one for all layers, or each layer's. */
  private static Object of(Object numbers, int layer) {
    return numbers instanceof List<?> list ? list.get(Math.max(0, layer)) : numbers;
  }

  /** The share of channels that turn. */
  private static double turning(List<Float> factors) {
    if (factors.isEmpty()) {
      return 1;
    }
    return (double) factors.stream().filter(f -> f < STILL).count() / factors.size();
  }

  /**
   * The way back.
   *
   * @param localTheta rotary base of layers that slide
   */
  void describe(GgufMetadata metadata, LlmConfig c, Weights weights, double localTheta) {
    List<Boolean> slides = new ArrayList<>();
    List<Integer> kv = new ArrayList<>();
    List<Integer> mlp = new ArrayList<>();
    int sharing = 0;
    for (int i = 0; i < c.layers().size(); i++) {
      if (c.layers().get(i).mixer() instanceof NormedValues mixer) {
        SelfAttention attention = mixer.attention();
        slides.add(attention.rotatesLocally());
        kv.add(attention.kvHeads());
        sharing += mixer.giver().isPresent() ? 1 : 0;
        boolean local = attention.rotatesLocally();
        metadata.uint32(key(local ? LOCAL_WIDTH : WIDTH), attention.headDim());
        metadata.uint32(key(local ? LOCAL_VALUE_WIDTH : VALUE_WIDTH), attention.headDim());
      }
      String up = c.inLayer(i, GatedMlp.ALONE + ".up_proj.weight");
      mlp.add(Math.toIntExact(weights.shape(up).dim(0)));
    }
    metadata.bools(key(SLIDES), slides);
    metadata.uint32(key(SHARING), sharing);
    metadata.uint32(key(INPUTS), c.layerInputs().map(LayerInputs::width).orElse(0));
    if (kv.stream().distinct().count() > 1) {
      metadata.int32s(key(KV_HEADS), kv);
    }
    if (mlp.stream().distinct().count() > 1) {
      metadata.int32s(key(MLP), mlp);
    }
    metadata.float32(key(LOCAL_THETA), localTheta);
    metadata.uint32(key(LOCAL_ROTARY), 2L * c.localRope().invFreq().size());
  }
}

package org.loranative.model.llm;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.loranative.UserException;
import org.loranative.io.GgufMetadata;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorFile;

/**
 * What a GGUF says of a model beside its tokenizer (llama.cpp's convert_hf_to_gguf.py): metadata,
 * and the rotary factors that it holds as tensors.
 */
public final class GgufDescription {
  /** Of channels that do not turn at all, as llama.cpp's converter writes it. */
  private static final float NEVER = 1e30f;

  /** GGUF's keys behind the architecture, and ours: whole numbers. */
  private static final Map<String, String> WHOLE = new LinkedHashMap<>();

  /** Likewise numbers with a fraction. */
  private static final Map<String, String> REAL = new LinkedHashMap<>();

  static {
    WHOLE.put("context_length", "max_position_embeddings");
    WHOLE.put("embedding_length", "hidden_size");
    WHOLE.put("block_count", "num_hidden_layers");
    WHOLE.put("feed_forward_length", "intermediate_size");
    WHOLE.put("attention.sliding_window", "sliding_window");
    WHOLE.put("vocab_size", "vocab_size");
    REAL.put("embedding_scale", "embedding_multiplier");
    REAL.put("residual_scale", "residual_multiplier");
    REAL.put("attention.scale", "attention_multiplier");
    REAL.put("logit_scale", "logits_scaling");
    REAL.put("attn_logit_softcapping", "attn_logit_softcapping");
    REAL.put("final_logit_softcapping", "final_logit_softcapping");
  }

  private final LlmBase base;
  private final Map<String, Object> settings;
  private final Map<String, Object> rope;
  private final Map<String, Object> localRope;

  public GgufDescription(LlmBase base) {
    this.base = base;
    this.settings = base.settings();
    ConfigParser parser =
        new ConfigParser(
            base.path().toString(), base.config().family(), base.config().prefix(), settings);
    this.rope = parser.ropeParameters(false);
    this.localRope = parser.ropeParameters(true);
  }

  /** Adds all that is not the tokenizer's. */
  public void describe(GgufMetadata metadata, String name) {
    LlmConfig c = base.config();
    String architecture = base.ggufNames().architecture();
    metadata.string("general.architecture", architecture);
    metadata.string("general.type", "model");
    metadata.string("general.name", name);
    metadata.uint32("general.quantization_version", 2);
    String to = architecture + ".";
    WHOLE.forEach((theirs, ours) -> number(ours, n -> metadata.uint32(to + theirs, n.longValue())));
    REAL.forEach(
        (theirs, ours) -> number(ours, n -> metadata.float32(to + theirs, n.doubleValue())));
    metadata.uint32(to + "attention.head_count", c.heads());
    metadata.uint32(to + "attention.head_count_kv", c.kvHeads());
    long width =
        settings.get("head_dim") instanceof Number n ? n.longValue() : c.hidden() / c.heads();
    metadata.uint32(to + "attention.key_length", width);
    metadata.uint32(to + "attention.value_length", width);
    metadata.float32(to + "attention.layer_norm_rms_epsilon", c.normEps());
    metadata.uint32(to + "rope.dimension_count", 2L * c.rope().invFreq().size());
    metadata.float32(to + "rope.freq_base", ((Number) rope.get("rope_theta")).doubleValue());
    scaling(metadata, to + "rope.scaling.");
    if (c.isRecurrent()) {
      new GgufDelta(architecture)
          .describe(metadata, c, settings.get("full_attention_interval"), rope);
    }
    if (base.hasExperts()) {
      new GgufExperts(architecture).describe(metadata, c, base.weights());
    }
    if (c.family().fullHeadDim() > 0) {
      double theta = ((Number) localRope.get("rope_theta")).doubleValue();
      new GgufLayers(architecture).describe(metadata, c, base.weights(), theta);
    }
  }

  private interface Use {
    void of(Number n);
  }

  private void number(String key, Use use) {
    if (settings.get(key) instanceof Number n) {
      use.of(n);
    }
  }

  private String type() {
    return String.valueOf(rope.getOrDefault("rope_type", rope.getOrDefault("type", "default")));
  }

  private void scaling(GgufMetadata metadata, String to) {
    switch (type()) {
      case "default", "none", "mrope", "llama3", "proportional" -> {
        // Those that are slowed are a tensor.
      }
      case "linear" ->
          metadata.string(to + "type", "linear").float32(to + "factor", real("factor"));
      case "yarn" -> {
        metadata
            .string(to + "type", "yarn")
            .float32(to + "factor", real("factor"))
            .uint32(to + "original_context_length", original());
        GgufConfig.YARN.forEach(
            (theirs, ours) -> {
              if (rope.get(ours) instanceof Number n) {
                metadata.float32(to + theirs, n.doubleValue());
              }
            });
        if (rope.get("llama_4_scaling_beta") instanceof Number beta) {
          metadata.float32(
              to.replace("rope.scaling.", "attention.temperature_scale"), beta.doubleValue());
        }
      }
      case "longrope", "su" ->
          metadata
              .uint32(to + "original_context_length", original())
              .float32(to + "attn_factor", base.config().rope().scale());
      default -> throw new UserException(base.path() + ": rope " + type() + " has no GGUF form.");
    }
  }

  /**
   * Checks that a reader of the metadata would compute what this model computes.
   *
   * @throws UserException if GGUF has no word for something
   */
  public void requireSaid(GgufMetadata metadata) {
    Map<String, TensorEntry> tensors = new HashMap<>();
    for (String name : base.tensorNames()) {
      tensors.put(base.ggufNames().of(name), base.weights().entry(name));
    }
    Map<String, Object> said =
        GgufConfig.translate(
            base.ggufNames().architecture(), new TensorFile(tensors, metadata.values()));
    LlmConfig c = base.config();
    LlmConfig read =
        new ConfigParser(base.path().toString(), c.family(), FolderNames.PLAIN, said).parse();
    require(same(read, c, LlmConfig.Layer::mixer), "its attention (windows, scales, layer types)");
    require(
        same(read, c, LlmConfig.Layer::feedForward),
        "its feed-forward layers (which are dense, their activation, how the chosen experts are"
            + " weighed: norm_topk_prob)");
    require(read.scales().near(c.scales()), "the factors of its embedding, layers and logits");
    boolean turned =
        c.family().ggufPermuted() && base.weights().has(c.inLayer(0, "self_attn.q_proj.bias"));
    require(!turned, "biases of its queries and keys");
    require(!c.family().groupedDelta() || base.hasExperts(), "layers without experts");
    require(read.finalSoftcap() == c.finalSoftcap(), "the soft cap of its logits");
    require(Math.abs(read.normEps() - c.normEps()) < 1e-9, "the epsilon of its norms");
    boolean local = c.localRope().equals(c.rope()) || near(read.localRope(), c.localRope());
    require(local, "the rotary base of its sliding layers");
    if (factors().isEmpty()) {
      require(near(read.rope(), c.rope()), "its rotary positions");
    }
  }

  private static boolean same(LlmConfig a, LlmConfig b, Function<LlmConfig.Layer, ?> part) {
    return a.layers().stream().map(part).toList().equals(b.layers().stream().map(part).toList());
  }

  private static boolean near(RopeSpec a, RopeSpec b) {
    boolean near =
        Math.abs(a.scale() - b.scale()) < 1e-5
            && a.growth().equals(b.growth())
            && a.invFreq().size() == b.invFreq().size();
    for (int i = 0; near && i < b.invFreq().size(); i++) {
      float x = b.invFreq().get(i);
      near = Math.abs(a.invFreq().get(i) - x) <= 1e-5 * x;
    }
    return near;
  }

  private void require(boolean said, String what) {
    if (!said) {
      throw new UserException(
          String.format(
              "%s cannot be written as a GGUF: the format, or llama.cpp's %s, has no word for %s."
                  + " Merge into a folder (--out without .gguf).",
              base.path(), base.ggufNames().architecture(), what));
    }
  }

  private double real(String key) {
    return ((Number) rope.get(key)).doubleValue();
  }

  private long original() {
    Object old = rope.get("original_max_position_embeddings");
    return ((Number) (old == null ? settings.get("max_position_embeddings") : old)).longValue();
  }

  /** Tensors of f32 beside the weights: rotary factors, by their names. */
  public Map<String, float[]> factors() {
    return switch (type()) {
      case "llama3", "proportional" -> Map.of(GgufConfig.FACTORS, slowing());
      case "longrope", "su" ->
          Map.of(
              "rope_factors_long.weight", numbers("long_factor"),
              "rope_factors_short.weight", numbers("short_factor"));
      default -> Map.of();
    };
  }

  /** How many times slower rotations are than plain ones. */
  private float[] slowing() {
    List<Float> scaled = base.config().rope().invFreq();
    double theta = real("rope_theta");
    float[] factors = new float[scaled.size()];
    for (int i = 0; i < factors.length; i++) {
      double plain = Math.pow(theta, -2.0 * i / (2 * factors.length));
      factors[i] = scaled.get(i) == 0 ? NEVER : (float) (plain / scaled.get(i));
    }
    return factors;
  }

  private float[] numbers(String key) {
    List<?> list = rope.get(key) instanceof List<?> l ? l : List.of();
    float[] numbers = new float[list.size()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = ((Number) list.get(i)).floatValue();
    }
    return numbers;
  }
}

package org.loranative.model.llm;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.loranative.UserException;
import org.loranative.graph.ops.Act;
import org.loranative.graph.ops.ClampedGlu;
import org.loranative.graph.ops.DeltaRule;
import org.loranative.graph.ops.Rope;
import org.loranative.graph.ops.RopeTable;
import org.loranative.graph.ops.Route;
import org.loranative.graph.ops.SigmoidRoute;
import org.loranative.model.Family;

/**
 * Config numbers to an {@link LlmConfig}. Both sources are read as Hugging Face's keys: a
 * config.json as it is, a GGUF's metadata translated first.
 */
final class ConfigParser {
  private static final String SLIDING = "sliding_attention";
  private static final String RECURRENT = "linear_attention";
  private static final String FULL = "full_attention";
  private static final String CHOSEN = "num_experts_per_tok";

  /** Of any size. */
  private static final int MOST = 1 << 24;

  private final String source;
  private final Family family;
  private final String prefix;
  private final Map<String, Object> c;
  private final UnaryOperator<String> named;

  /** Of each layer. */
  private final List<String> types;

  /**
   * @param prefix of the language model's names
   */
  ConfigParser(String source, Family family, String prefix, Map<String, Object> config) {
    this(source, family, prefix, config, key -> key);
  }

  /**
   * @param named what the file calls a key of {@code config}, for messages
   */
  ConfigParser(
      String source,
      Family family,
      String prefix,
      Map<String, Object> config,
      UnaryOperator<String> named) {
    this.named = named;
    this.source = source;
    this.family = family;
    this.prefix = prefix;
    this.c = config;
    this.types = layerTypes();
  }

  LlmConfig parse() {
    int hidden = positive("hidden_size");
    int heads = positive("num_attention_heads");
    int kvHeads = c.containsKey("num_key_value_heads") ? positive("num_key_value_heads") : heads;
    int headDim = c.get("head_dim") instanceof Number ? positive("head_dim") : hidden / heads;
    if (heads % kvHeads != 0 || headDim % 2 != 0) {
      throw new UserException(
          String.format(
              "%s: %d heads over %d key-value heads of width %d (%s, %s, %s) do not fit.",
              source,
              heads,
              kvHeads,
              headDim,
              named.apply("num_attention_heads"),
              named.apply("num_key_value_heads"),
              named.apply("head_dim")));
    }
    double rotary = number("partial_rotary_factor", ropeNumber());
    LayerHeads widths = new LayerHeads(source, family, c, headDim, kvHeads);
    int full = types.indexOf(FULL);
    int fullDim = full < 0 ? headDim : widths.headDim(full, false);
    return new LlmConfig(
        family,
        prefix,
        hidden,
        heads,
        kvHeads,
        positive("vocab_size"),
        (float) number("rms_norm_eps", 1e-6),
        (float) number("final_logit_softcapping", 0),
        scales(hidden),
        layers(heads, widths),
        layerInputs(),
        rope(fullDim, rotary, false),
        rope(headDim, rotary, true));
  }

  /** How many channels of a head turn. */
  private int turned(int headDim, double share) {
    double turned = headDim * share;
    if (!(turned >= 2 && turned <= headDim) || (int) turned % 2 != 0) {
      throw new UserException(
          String.format(
              "%s: %s lets %s of the %d channels of a head turn, but it must be an even number of"
                  + " them; take the file from where it was made.",
              source, named.apply("partial_rotary_factor"), turned, headDim));
    }
    return (int) turned;
  }

  private LlmConfig.Scales scales(int hidden) {
    double embedding = family.scaledEmbedding() ? Math.sqrt(hidden) : 1;
    double residual = number("residual_multiplier", 1);
    double logits = number("logits_scaling", 1);
    if (!(residual > 0 && logits > 0)
        || residual != 1 && family.norms().beforeAttention().isEmpty()) {
      throw new UserException(
          String.format(
              "%s: a %s of %s and %s of %s do not fit.",
              source,
              named.apply("residual_multiplier"),
              residual,
              named.apply("logits_scaling"),
              logits));
    }
    return new LlmConfig.Scales(
        (float) number("embedding_multiplier", embedding), (float) residual, (float) (1 / logits));
  }

  private double ropeNumber() {
    return c.get("rope_parameters") instanceof Map<?, ?> m
            && m.get("partial_rotary_factor") instanceof Number n
        ? n.doubleValue()
        : family.partialRotaryFactor();
  }

  private Act activation() {
    Object name = c.getOrDefault("hidden_activation", c.getOrDefault("hidden_act", "silu"));
    if (name == null) {
      name = c.get("hidden_act");
    }
    return switch (String.valueOf(name)) {
      case "silu", "swish" -> Act.SILU;
      case "gelu_pytorch_tanh", "gelu_tanh", "gelu" -> Act.GELU_TANH;
      default ->
          throw new UserException(source + ": the activation " + name + " is not supported.");
    };
  }

  private Optional<LayerInputs> layerInputs() {
    int width = (int) number("hidden_size_per_layer_input", 0);
    return width > 0 ? Optional.of(new LayerInputs(width, activation())) : Optional.empty();
  }

  /** Whether a layer has a window. */
  private boolean slides(int layer) {
    return types.get(layer).equals(SLIDING);
  }

  private List<LlmConfig.Layer> layers(int heads, LayerHeads widths) {
    int n = types.size();
    if (c.get("clip_qkv") instanceof Number bound) {
      throw new UserException(
          String.format(
              "%s: clip_qkv is %s, but a bound on q, k and v is not supported; use a model"
                  + " without.",
              source, bound));
    }
    Object sees = c.get("use_bidirectional_attention"); // "vision": pictures' tokens alone
    if (Boolean.TRUE.equals(sees) || "all".equals(sees)) {
      throw new UserException(
          String.format(
              "%s: use_bidirectional_attention is %s, so tokens see those behind them, as in models"
                  + " that embed texts; models that write text are supported.",
              source, sees));
    }
    float softcap = (float) number("attn_logit_softcapping", 0);
    long window = (long) number("sliding_window", 0);
    List<LlmConfig.Layer> layers = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      if (types.get(i).equals(RECURRENT)) {
        layers.add(new LlmConfig.Layer(deltaNet(), feedForward(i)));
        continue;
      }
      boolean slides = slides(i);
      int headDim = widths.headDim(i, slides);
      SelfAttention attention =
          new SelfAttention(
              heads,
              widths.kvHeads(i, slides, heads),
              headDim,
              scale(headDim),
              softcap,
              slides ? window : 0,
              rotates(i, n),
              slides,
              family.neighbours() ? Rope.Pairing.NEIGHBOURS : Rope.Pairing.HALVES,
              family.fusedQkv(),
              Boolean.TRUE.equals(c.getOrDefault("use_qk_norm", family.qkNorm())),
              family.sinks());
      boolean gated =
          Boolean.TRUE.equals(c.getOrDefault("attn_output_gate", family.gatedAttention()));
      Mixer mixer =
          family.normedValues()
              ? normedValues(attention, i, n)
              : gated ? new GatedAttention(attention) : attention;
      layers.add(new LlmConfig.Layer(mixer, feedForward(i)));
    }
    return layers;
  }

  /** Of q kᵀ, with heads of such a width. */
  private float scale(int headDim) {
    double scale =
        family.attentionScale() > 0
            ? family.attentionScale()
            : 1 / Math.sqrt(number("query_pre_attn_scalar", headDim));
    return (float) number("attention_multiplier", scale);
  }

  /** The last layers read what the last layer before them of their kind has. */
  private Mixer normedValues(SelfAttention attention, int layer, int layers) {
    boolean keysAreValues =
        Boolean.TRUE.equals(c.get("attention_k_eq_v")) && !attention.rotatesLocally();
    int own = layers - (int) number("num_kv_shared_layers", 0);
    if (layer < own) {
      return new NormedValues(attention, keysAreValues, Optional.empty());
    }
    int giver = own - 1;
    while (giver >= 0 && slides(giver) != attention.rotatesLocally()) {
      giver--;
    }
    if (giver < 0) {
      throw new UserException(
          String.format(
              "%s: the last %d of %d layers share keys and values (%s), but no layer of the kind of"
                  + " layer %d stands before them.",
              source, layers - own, layers, named.apply("num_kv_shared_layers"), layer));
    }
    return new NormedValues(attention, keysAreValues, Optional.of(giver));
  }

  /** What each layer is, as the config says or as the family has it. */
  private List<String> layerTypes() {
    int layers = positive("num_hidden_layers");
    List<?> given = c.get("layer_types") instanceof List<?> list ? list : List.of();
    if (!given.isEmpty() && given.size() != layers) {
      throw new UserException(
          String.format(
              "%s: %s has %d entries, but %s is %d; give one for each layer.",
              source,
              named.apply("layer_types"),
              given.size(),
              named.apply("num_hidden_layers"),
              layers));
    }
    List<String> known = isHybrid() ? List.of(FULL, SLIDING, RECURRENT) : List.of(FULL, SLIDING);
    List<String> types = new ArrayList<>();
    for (int i = 0; i < layers; i++) {
      String type = given.isEmpty() ? familyType(i) : String.valueOf(given.get(i));
      if (!known.contains(type)) {
        throw new UserException(
            String.format(
                "%s: layer_types has \"%s\"; known in this family are %s.",
                source, type, String.join(", ", known)));
      }
      types.add(type);
    }
    return types;
  }

  private boolean isHybrid() {
    return family.fullAttentionPeriod() > 0;
  }

  private String familyType(int layer) {
    int period = (int) number("full_attention_interval", family.fullAttentionPeriod());
    if (isHybrid() && (layer + 1) % Math.max(1, period) != 0) {
      return RECURRENT;
    }
    boolean slides =
        switch (family.sliding()) {
          case "all" -> true;
          case "every" -> (layer + 1) % slidingPeriod() != 0;
          default -> false;
        };
    return slides ? SLIDING : FULL;
  }

  private GatedDeltaNet deltaNet() {
    int keyHeads = positive("linear_num_key_heads");
    int heads = positive("linear_num_value_heads");
    int keyWidth = positive("linear_key_head_dim");
    int width = positive("linear_value_head_dim");
    if (heads % keyHeads != 0 || Math.max(keyWidth, width) > DeltaRule.WIDEST) {
      throw new UserException(
          String.format(
              "%s: %d value heads of width %d over %d key heads of width %d in its recurrent layers"
                  + " do not fit; heads of at most %d are supported.",
              source, heads, width, keyHeads, keyWidth, DeltaRule.WIDEST));
    }
    if (activation() != Act.SILU) {
      throw new UserException(
          source + ": recurrent layers need the activation silu, not " + activation() + ".");
    }
    return new GatedDeltaNet(
        new DeltaRule.Heads(keyHeads, heads, keyWidth, width),
        positive("linear_conv_kernel_dim"),
        family.groupedDelta());
  }

  /** A mixture where the config has experts, but in the layers that it keeps dense. */
  private FeedForward feedForward(int layer) {
    int experts =
        (int) number("num_experts", number("num_local_experts", number("n_routed_experts", 0)));
    boolean dense =
        layer < number("first_k_dense_replace", 0)
            || (layer + 1) % Math.max(1, (int) number("decoder_sparse_step", 1)) != 0
            || c.get("mlp_only_layers") instanceof List<?> list
                && list.stream().anyMatch(i -> i instanceof Number n && n.intValue() == layer);
    GatedMlp alone = new GatedMlp(activation(), family.fusedGateUp(), GatedMlp.ALONE);
    if (experts == 0 || dense || Boolean.FALSE.equals(c.get("enable_moe_block"))) {
      return alone;
    }
    String often = c.get("top_k_experts") instanceof Number ? "top_k_experts" : CHOSEN;
    int chosen = positive(often);
    if (chosen > Math.min(experts, Route.MOST_CHOSEN)) {
      throw new UserException(
          String.format(
              "%s: %s is %d of %d experts; at most %d are supported.",
              source, named.apply(often), chosen, experts, Math.min(experts, Route.MOST_CHOSEN)));
    }
    if (Boolean.TRUE.equals(c.get("enable_moe_block"))) {
      Router router = new Router.Scaled(chosen, experts, BesideMixture.SCALES);
      int narrow = positive("moe_intermediate_size");
      return new BesideMixture(
          alone,
          new MixtureMlp(unit(), BesideMixture.NAMES, experts, narrow, router, Optional.empty()));
    }
    boolean normalize =
        Boolean.TRUE.equals(c.getOrDefault("norm_topk_prob", family.normalizedExperts()));
    String width =
        c.containsKey("moe_intermediate_size") ? "moe_intermediate_size" : "intermediate_size";
    Router router =
        family.sigmoidRouter()
            ? sigmoid(experts, chosen, normalize)
            : new Router.Softmax(chosen, normalize);
    return new MixtureMlp(
        unit(), MixtureMlp.Names.USUAL, experts, positive(width), router, shared());
  }

  /** The expert that every token goes to. */
  private Optional<FeedForward> shared() {
    if (number("shared_expert_intermediate_size", 0) > 0) {
      return Optional.of(new SharedExpert(inMixture("shared_expert")));
    }
    return number("n_shared_experts", 0) > 0
        ? Optional.of(inMixture("shared_experts"))
        : Optional.empty();
  }

  private GatedMlp inMixture(String name) {
    return new GatedMlp(activation(), false, GatedMlp.ALONE + "." + name);
  }

  private GatedUnit unit() {
    if (!family.clampedExperts()) {
      return new GatedUnit.Plain(activation());
    }
    float alpha = (float) number("swiglu_alpha", 1.702);
    return new GatedUnit.Clamped(new ClampedGlu.Setting(alpha, (float) number("swiglu_limit", 7)));
  }

  private Router sigmoid(int experts, int chosen, boolean normalize) {
    int groups = Math.max(1, (int) number("n_group", 1));
    int top = Math.max(1, (int) number("topk_group", 1));
    if (groups > SigmoidRoute.MOST_GROUPS
        || top > groups
        || experts % groups != 0
        || chosen > experts / groups * top) {
      throw new UserException(
          String.format(
              "%s: %d of %d experts (%s) out of %d of %d groups (%s, %s) do not fit; at most %d"
                  + " groups are supported.",
              source,
              chosen,
              experts,
              named.apply(CHOSEN),
              top,
              groups,
              named.apply("topk_group"),
              named.apply("n_group"),
              SigmoidRoute.MOST_GROUPS));
    }
    float scale = (float) number("routed_scaling_factor", 1);
    return new Router.Sigmoid(chosen, new SigmoidRoute.Setting(groups, top, normalize, scale));
  }

  /** {@code no_rope_layers} says 1 for a layer that rotates (transformers' SmolLM3Config). */
  private boolean rotates(int layer, int layers) {
    if (c.get("no_rope_layers") instanceof List<?> list && list.size() == layers) {
      return list.get(layer) instanceof Number n && n.intValue() != 0;
    }
    int period = (int) number("no_rope_layer_interval", family.unrotatedPeriod());
    return period == 0 || (layer + 1) % period != 0;
  }

  private int slidingPeriod() {
    return (int) number("sliding_window_pattern", family.slidingPeriod());
  }

  private RopeSpec rope(int headDim, double share, boolean local) {
    int rotary = turned(headDim, share);
    Map<String, Object> parameters = ropeParameters(local);
    double theta = ((Number) parameters.get("rope_theta")).doubleValue();
    RopeSpec spec = RopeSpec.of(rotary, theta, parameters, number("max_position_embeddings", 2048));
    // Queries grow by their rotation.
    boolean everywhere = rotary == headDim && family.unrotatedPeriod() == 0;
    if (!everywhere && !spec.growth().equals(RopeTable.Growth.NONE)) {
      throw new UserException(
          source
              + ": queries that grow with their position (llama_4_scaling_beta) are supported only"
              + " where all channels of all layers' heads turn.");
    }
    return spec;
  }

  /** {@code rope_type} and its numbers, {@code rope_theta} among them, however they are given. */
  Map<String, Object> ropeParameters(boolean local) {
    Map<String, Object> parameters = new HashMap<>();
    Map<String, Object> given = map("rope_parameters"); // transformers 5
    if (given.containsKey(FULL)) {
      Object chosen = given.get(local ? SLIDING : FULL);
      copy(chosen == null ? given.get(FULL) : chosen, parameters);
    } else if (!given.isEmpty()) {
      parameters.putAll(given);
    } else {
      double theta = number("rope_theta", 10000);
      double localTheta = number("rope_local_base_freq", family.localRopeTheta());
      if (local && localTheta > 0) {
        parameters.put("rope_theta", localTheta);
      } else {
        if (!local || !family.localRopeUnscaled()) {
          parameters.putAll(map("rope_scaling"));
        }
        parameters.put("rope_theta", theta);
      }
    }
    if (!(parameters.get("rope_theta") instanceof Number)) {
      parameters.put("rope_theta", 10000.0);
    }
    if (family.untruncatedYarn()) {
      parameters.putIfAbsent("truncate", false);
    }
    parameters.computeIfAbsent(
        "original_max_position_embeddings", k -> c.get("original_max_position_embeddings"));
    return parameters;
  }

  private Map<String, Object> map(String key) {
    Map<String, Object> result = new HashMap<>();
    copy(c.get(key), result);
    return result;
  }

  private static void copy(Object from, Map<String, Object> to) {
    if (from instanceof Map<?, ?> m) {
      m.forEach((k, v) -> to.put((String) k, v));
    }
  }

  private int positive(String key) {
    if (c.get(key) instanceof Number n && n.longValue() > 0 && n.longValue() <= MOST) {
      return n.intValue();
    }
    throw new UserException(
        String.format(
            "%s: %s is %s, but must be a whole number from 1 to %d; take the file from where it was"
                + " made.",
            source, named.apply(key), c.get(key) == null ? "missing" : c.get(key), MOST));
  }

  private double number(String key, double otherwise) {
    return c.get(key) instanceof Number n ? n.doubleValue() : otherwise;
  }
}

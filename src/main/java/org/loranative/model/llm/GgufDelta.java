package org.loranative.model.llm;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.loranative.UserException;
import org.loranative.graph.ops.DeltaRule;
import org.loranative.io.GgufMetadata;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorFile;

/**
 * What a GGUF says of models some of whose layers are recurrent, there and back (llama.cpp's
 * Qwen3-Next and Qwen3.5).
 *
 * @param architecture which the keys begin with
 */
record GgufDelta(String architecture) {
  private static final String TAPS = "ssm.conv_kernel";
  private static final String KEY_WIDTH = "ssm.state_size";
  private static final String KEY_HEADS = "ssm.group_count";
  private static final String VALUE_HEADS = "ssm.time_step_rank";

  /** Of all value heads together. */
  private static final String VALUES = "ssm.inner_size";

  private static final String PERIOD = "full_attention_interval";

  /** Of each layer, those that predict further tokens among them. */
  static final String RECURRENT = "attention.recurrent_layers";

  /** The keys behind Hugging Face's, of one layer's sizes. */
  static final Map<String, String> NAMES =
      Map.of(
          "linear_conv_kernel_dim", TAPS,
          "linear_key_head_dim", KEY_WIDTH,
          "linear_num_key_heads", KEY_HEADS,
          "linear_num_value_heads", VALUE_HEADS,
          "linear_value_head_dim", VALUES);

  private static final String SECTIONS = "rope.dimension_sections";

  /** Rotary channels by time, height and width, as llama.cpp's converter has them by default. */
  private static final List<Integer> USUAL_SECTIONS = List.of(11, 11, 10, 0);

  private String key(String name) {
    return architecture + "." + name;
  }

  /** Adds to {@code config} what Hugging Face's says; nothing where no layer is recurrent. */
  void translate(TensorFile file, Map<String, Object> config) {
    Map<String, Object> metadata = file.metadata();
    if (!metadata.containsKey(key(TAPS)) && !metadata.containsKey(key(KEY_HEADS))) {
      return;
    }
    NAMES.forEach((ours, theirs) -> config.put(ours, metadata.get(key(theirs))));
    config.put("linear_value_head_dim", valueWidth(file));
    config.put(PERIOD, metadata.get(key(PERIOD)));
    if (metadata.get(key(SECTIONS)) instanceof List<?> sections) {
      sections(sections, config);
    }
    if (metadata.get(key(RECURRENT)) instanceof List<?> recurrent
        && config.get("num_hidden_layers") instanceof Long layers) {
      config.put(
          "layer_types",
          recurrent.stream()
              .limit(Math.max(0, layers))
              .map(r -> Boolean.TRUE.equals(r) ? "linear_attention" : "full_attention")
              .toList());
    }
  }

  /** Where a folder says them: beside the scaling of rotations, or with all their numbers. */
  private static void sections(List<?> sections, Map<String, Object> config) {
    boolean scaled = config.get("rope_scaling") instanceof Map<?, ?>;
    String key = scaled ? "rope_scaling" : "rope_parameters";
    Map<String, Object> rope = new HashMap<>();
    if (config.get(key) instanceof Map<?, ?> given) {
      given.forEach((name, value) -> rope.put(String.valueOf(name), value));
    } else {
      rope.put("rope_type", "default");
      for (String name : List.of("rope_theta", "partial_rotary_factor")) {
        if (config.get(name) instanceof Number n) {
          rope.put(name, n);
        }
      }
    }
    rope.put("mrope_section", sections.stream().limit(3).toList());
    config.put(key, rope);
  }

  private Object valueWidth(TensorFile file) {
    Map<String, Object> metadata = file.metadata();
    if (metadata.get(key(VALUES)) instanceof Long values
        && metadata.get(key(VALUE_HEADS)) instanceof Long heads
        && heads > 0
        && values % heads == 0) {
      return values / heads;
    }
    throw new UserException(
        String.format(
            "%s: %s is %s and %s is %s, but the first must be a multiple of the second; take the"
                + " file from where it was made.",
            file.tensors().values().iterator().next().file(),
            key(VALUES),
            metadata.get(key(VALUES)),
            key(VALUE_HEADS),
            metadata.get(key(VALUE_HEADS))));
  }

  /**
   * The way back.
   *
   * @param period of layers that attend, where the config says none
   * @param rope as the config has it
   */
  void describe(GgufMetadata metadata, LlmConfig c, Object period, Map<String, Object> rope) {
    List<Boolean> recurrent = new ArrayList<>();
    for (LlmConfig.Layer layer : c.layers()) {
      recurrent.add(layer.mixer().isRecurrent());
      if (layer.mixer() instanceof GatedDeltaNet net) {
        DeltaRule.Heads heads = net.heads();
        metadata.uint32(key(TAPS), net.taps());
        metadata.uint32(key(KEY_WIDTH), heads.keyWidth());
        metadata.uint32(key(KEY_HEADS), heads.keyHeads());
        metadata.uint32(key(VALUE_HEADS), heads.heads());
        metadata.uint32(key(VALUES), heads.heads() * heads.width());
      }
    }
    metadata.bools(key(RECURRENT), recurrent);
    metadata.uint32(
        key(PERIOD), period instanceof Number n ? n.longValue() : c.family().fullAttentionPeriod());
    metadata.int32s(key(SECTIONS), sections(rope.get("mrope_section")));
  }

  private static List<Integer> sections(Object given) {
    if (!(given instanceof List<?> list)) {
      return USUAL_SECTIONS;
    }
    List<Integer> sections = new ArrayList<>();
    for (int i = 0; i < USUAL_SECTIONS.size(); i++) {
      sections.add(i < list.size() && list.get(i) instanceof Number n ? n.intValue() : 0);
    }
    return sections;
  }

  /** A file's tensors in the shapes that folders have them in, whose sides of 1 GGUF leaves out. */
  static Map<String, TensorEntry> inShapesOfFolders(Map<String, TensorEntry> tensors) {
    Map<String, TensorEntry> all = new HashMap<>(tensors);
    all.replaceAll(
        (name, entry) -> {
          List<Long> shape = entry.shape();
          if (name.endsWith(".ssm_conv1d.weight") && shape.size() == 2) {
            return reshaped(entry, List.of(shape.get(0), 1L, shape.get(1)));
          }
          return name.endsWith(".ffn_gate_inp_shexp.weight") && shape.size() == 1
              ? reshaped(entry, List.of(1L, shape.get(0)))
              : entry;
        });
    return all;
  }

  private static TensorEntry reshaped(TensorEntry e, List<Long> shape) {
    return new TensorEntry(e.name(), e.type(), shape, e.file(), e.offset(), e.bytes());
  }
}

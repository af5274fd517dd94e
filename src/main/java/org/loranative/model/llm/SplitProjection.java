package org.loranative.model.llm;

import java.util.ArrayList;
import java.util.List;
import org.loranative.UserException;
import org.loranative.graph.Shape;
import org.loranative.graph.ops.DeltaRule;
import org.loranative.io.TensorFile;
import org.loranative.model.weights.Weights;

/**
 * Qwen3-Next's projection to queries, keys, values and gates, whose rows folders group by key head;
 * a GGUF has two of it, one of the gates alone, and neither is grouped. (Files of 2025 hold it as
 * folders do.)
 */
record SplitProjection(DeltaRule.Heads heads) {
  static final String TOGETHER = "linear_attn.in_proj_qkvz";

  /** GGUF's name of the whole, where a file has it. */
  private static final String TOGETHER_IN_GGUF = ".ssm_in.weight";

  private static final String QKV = "linear_attn.in_proj_qkv";
  private static final String GATES = "linear_attn.in_proj_z";

  /** Names within a layer of what a GGUF has of it. */
  static final List<String> PARTS = List.of(QKV, GATES);

  /**
   * Rows of a part.
   *
   * @param first of the part's rows
   */
  private record Rows(String part, long first, long count) {}

  /** Puts those of all layers together that a GGUF has as two. */
  static void stackAll(Weights weights, LlmConfig config, String source) {
    for (int i = 0; i < config.layers().size(); i++) {
      String layer = config.inLayer(i, "");
      if (config.layers().get(i).mixer() instanceof GatedDeltaNet net
          && net.grouped()
          && !weights.has(layer + TOGETHER + ".weight")) {
        new SplitProjection(net.heads()).stack(weights, layer, config.hidden(), source);
      }
    }
  }

  /** Whether a GGUF holds them as one. */
  static boolean isTogether(TensorFile gguf) {
    return gguf.tensors().keySet().stream().anyMatch(n -> n.endsWith(TOGETHER_IN_GGUF));
  }

  private long queries() {
    return heads.keyHeads() * heads.keyWidth();
  }

  private long values() {
    return heads.heads() * heads.width();
  }

  /** How many rows a part has. */
  private long rowsOf(String part) {
    return part.equals(QKV) ? 2 * queries() + values() : values();
  }

  /** Rows of the parts in the order that a folder has them in. */
  private List<Rows> inOrder() {
    List<Rows> all = new ArrayList<>();
    long key = heads.keyWidth();
    long value = values() / heads.keyHeads();
    for (long h = 0; h < heads.keyHeads(); h++) {
      all.add(new Rows(QKV, h * key, key));
      all.add(new Rows(QKV, queries() + h * key, key));
      all.add(new Rows(QKV, 2 * queries() + h * value, value));
      all.add(new Rows(GATES, h * value, value));
    }
    return all;
  }

  /** Of each row of a part, which of the folder's rows it is. */
  long[] folderRows(String part) {
    long[] rows = new long[Math.toIntExact(rowsOf(part))];
    long at = 0;
    for (Rows r : inOrder()) {
      for (long i = 0; i < r.count() && r.part().equals(part); i++) {
        rows[(int) (r.first() + i)] = at + i;
      }
      at += r.count();
    }
    return rows;
  }

  /**
   * Puts it together of the rows of a GGUF.
   *
   * @param layer path, with its dot
   */
  private void stack(Weights weights, String layer, long hidden, String source) {
    for (String part : PARTS) {
      Shape shape = Shape.of(rowsOf(part), hidden);
      String name = layer + part + ".weight";
      if (!weights.shape(name).equals(shape)) {
        throw new UserException(
            String.format(
                "%s: tensor %s is %s, but its config needs %s.",
                source, weights.entry(name).name(), weights.shape(name), shape));
      }
    }
    List<String> pieces = new ArrayList<>();
    for (Rows r : inOrder()) {
      pieces.add(weights.slice(layer + r.part() + ".weight", r.first(), r.count()));
    }
    weights.stackRows(layer + TOGETHER + ".weight", pieces);
  }
}

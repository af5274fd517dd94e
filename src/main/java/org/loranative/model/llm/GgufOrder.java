package org.loranative.model.llm;

import org.loranative.UserException;
import org.loranative.graph.ops.DeltaRule;
import org.loranative.model.weights.Formula;
import org.loranative.model.weights.Order;
import org.loranative.model.weights.Weights;

/**
 * Where a GGUF has rows or columns of a language model in another order than Hugging Face's
 * folders, or other numbers. Llama's queries and keys are interleaved for the rotation. Of
 * Qwen3.5's recurrent layers the value heads stand in turns of one of each key head, since ggml
 * repeats key heads so.
 *
 * <p>Models compute in the folder's order, so that an adapter means the same whatever file its base
 * came from; a file is put in order as it is loaded. That moves rows, which are whole blocks, and
 * in out_proj columns by the width of a head: blocks of 32 move whole, of K-quants' 256 the numbers
 * do, and that one matrix is held as such.
 */
final class GgufOrder {
  private final LlmConfig config;

  GgufOrder(LlmConfig config) {
    this.config = config;
  }

  /**
   * Says to {@code weights} of a GGUF how all its tensors stand there.
   *
   * @param source for messages
   * @throws UserException if it has what no order is known of
   */
  void tell(Weights weights, String source) {
    if (config.family().ggufPermuted() && weights.has(config.inLayer(0, "self_attn.q_proj.bias"))) {
      throw new UserException(
          String.format(
              "%s: biases of queries and keys in a GGUF of %s are not supported; take the Hugging"
                  + " Face folder.",
              source, config.family().ggufArchitectures().get(0)));
    }
    for (int i = 0; i < config.layers().size(); i++) {
      Mixer mixer = config.layers().get(i).mixer();
      for (Projection p : mixer.linears(config.hidden())) {
        tell(weights, config.inLayer(i, p.name()) + ".weight", p.out());
      }
      for (String name : mixer.others().keySet()) {
        tell(weights, config.inLayer(i, name), 0);
      }
    }
  }

  private void tell(Weights weights, String name, long out) {
    Order rows = rows(name, out);
    Order columns = columns(name);
    Formula formula = formula(name);
    if (!rows.isSame() || !columns.isSame() || !formula.isPlain()) {
      weights.ordered(name, rows, columns, formula);
    }
  }

  /**
   * The order of a tensor's rows.
   *
   * @param out how many they are
   */
  Order rows(String name, long out) {
    if (config.family().ggufPermuted() && name.endsWith("self_attn.q_proj.weight")) {
      return new Order.Interleaved(out / config.heads());
    }
    if (config.family().ggufPermuted() && name.endsWith("self_attn.k_proj.weight")) {
      return new Order.Interleaved(out / config.kvHeads());
    }
    return of(
        name,
        switch (module(name)) {
          case "in_proj_qkv.weight", "conv1d.weight" -> Part.BEHIND_KEYS;
          case "in_proj_z.weight" -> Part.VALUES;
          case "in_proj_b.weight", "in_proj_a.weight" -> Part.HEADS;
          default -> Part.NONE;
        });
  }

  /** The order of a tensor's columns. */
  Order columns(String name) {
    return of(
        name,
        switch (module(name)) {
          case "out_proj.weight" -> Part.VALUES;
          case "A_log", "dt_bias" -> Part.HEADS;
          default -> Part.NONE;
        });
  }

  /** What a tensor's numbers are by GGUF's. */
  Formula formula(String name) {
    return module(name).equals("A_log") ? Formula.LOG_OF_NEGATIVE : Formula.PLAIN;
  }

  /** What is tiled: values of all heads, behind queries and keys or not; or a number of each. */
  private enum Part {
    NONE,
    HEADS,
    VALUES,
    BEHIND_KEYS
  }

  private Order of(String name, Part part) {
    if (part == Part.NONE || !config.family().ggufTiled()) {
      return Order.SAME;
    }
    DeltaRule.Heads heads = config.delta(name).heads();
    long each = heads.heads() / heads.keyHeads();
    long first = part == Part.BEHIND_KEYS ? 2 * heads.keyHeads() * heads.keyWidth() : 0;
    return each == 1
        ? Order.SAME
        : new Order.Tiled(first, heads.keyHeads(), each, part == Part.HEADS ? 1 : heads.width());
  }

  /** What of a recurrent layer's mixer it is, "" of other tensors. */
  private static String module(String name) {
    int at = name.indexOf(".linear_attn.");
    return at < 0 ? "" : name.substring(at + ".linear_attn.".length());
  }
}

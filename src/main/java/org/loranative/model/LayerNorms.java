package org.loranative.model;

import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Names of the norms around a layer's two halves, "" for none. A half that is normed behind it
 * alone reads the residual stream as it is.
 */
public record LayerNorms(
    String beforeAttention,
    String afterAttention,
    String beforeFeedForward,
    String afterFeedForward) {
  static final LayerNorms LLAMA =
      new LayerNorms("input_layernorm", "", "post_attention_layernorm", "");

  public LayerNorms {
    beforeAttention = Objects.requireNonNullElse(beforeAttention, "");
    afterAttention = Objects.requireNonNullElse(afterAttention, "");
    beforeFeedForward = Objects.requireNonNullElse(beforeFeedForward, "");
    afterFeedForward = Objects.requireNonNullElse(afterFeedForward, "");
    if (beforeAttention.isEmpty() != beforeFeedForward.isEmpty()) {
      throw new IllegalArgumentException("one half is normed before it, the other is not");
    }
  }

  /** Those that there are. */
  public List<String> names() {
    return Stream.of(beforeAttention, afterAttention, beforeFeedForward, afterFeedForward)
        .filter(name -> !name.isEmpty())
        .toList();
  }
}

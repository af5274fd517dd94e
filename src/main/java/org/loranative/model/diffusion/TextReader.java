package org.loranative.model.diffusion;

import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/** Texts as a family's text encoders read them. */
public interface TextReader extends AutoCloseable {

  /** As many rows of tokens for each text as the longest needs. */
  TextRows rows(List<String> texts);

  /** The first row of each text: what lies beyond it is cut. */
  TextRows first(List<String> texts);

  /** The most tokens of a text that is not cut in {@link #first}, if this one is. */
  OptionalInt cutAt(String text);

  /**
   * What the denoiser is told of texts beside their {@link Condition}s: further inputs, by name,
   * i32 [texts].
   */
  default Map<String, int[]> told(List<String> texts) {
    return Map.of();
  }

  @Override
  void close();
}

package org.loranative.model.diffusion;

import java.util.List;
import java.util.Map;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.model.Net;

/** The text encoders of a family, as one. */
public interface TextEncoders {

  /** Tokens of one row of text. */
  int tokens();

  /** What a text becomes. */
  List<Condition> conditions();

  /** Whether a tensor is of an encoder that is held in blocks where the denoiser is. */
  default boolean isLarge(String name) {
    return false;
  }

  /** What they compute in where the rest of the model computes in a dtype. */
  default DType compute(DType other) {
    return other;
  }

  /**
   * The conditions of rows of tokens, in the compute dtype: [rows·tokens, width] or [rows, width].
   * Inputs: what {@link TextReader} reads.
   *
   * @param clipSkip last layers left out, beside those that the family leaves out itself
   */
  Map<String, Value> encode(Net net, int rows, int clipSkip);

  /** The most that {@code clipSkip} may be; 0 where it has no meaning. */
  default int mostSkipped() {
    return 0;
  }

  /** Small constants that {@link #encode} names. */
  default Map<String, float[]> constants() {
    return Map.of();
  }

  /** Names every layer in a graph, also those that {@link #encode} does not read. */
  void trace(Net net);

  /** Opens the tokenizers; the caller closes it. */
  TextReader reader();
}

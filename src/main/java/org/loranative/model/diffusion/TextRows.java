package org.loranative.model.diffusion;

import java.util.Map;

/**
 * Texts as rows of tokens.
 *
 * @param perText rows of each text
 * @param inputs of {@link DiffusionGraph#texts} for all rows
 */
public record TextRows(int perText, Map<String, int[]> inputs) {

  /** Adds where each token stands in its row and where that begins, as causal encoders ask. */
  public static void putPositions(
      Map<String, int[]> inputs, String prefix, int tokens, int length) {
    int[] positions = new int[tokens];
    int[] start = new int[tokens];
    for (int i = 0; i < tokens; i++) {
      positions[i] = i % length;
      start[i] = i / length * length;
    }
    inputs.put(prefix + "positions", positions);
    inputs.put(prefix + "doc_start", start);
  }

  /** What belongs to a whole text is that of its first row. */
  float[] firstOfEach(float[] states, int texts) {
    int width = states.length / texts / perText;
    float[] first = new float[texts * width];
    for (int i = 0; i < texts; i++) {
      System.arraycopy(states, i * perText * width, first, i * width, width);
    }
    return first;
  }
}

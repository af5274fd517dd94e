package org.loranative.model.diffusion;

import java.util.Map;

/**
 * Texts as rows of tokens.
 *
 * @param perText rows of each text
 * @param inputs of {@link DiffusionGraph#texts} for all rows
 */
public record TextRows(int perText, Map<String, int[]> inputs) {

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

package org.loranative.data.llm;

import org.loranative.data.Source;

/**
 * A document ready for training.
 *
 * @param ids its tokens
 * @param labels for each token the next one if the model is to learn it there, else −1
 * @param source where it came from
 */
public record Example(int[] ids, int[] labels, Source source) {
  public int length() {
    return ids.length;
  }

  /** Number of labels that are set. */
  public int labelled() {
    int n = 0;
    for (int label : labels) {
      n += label >= 0 ? 1 : 0;
    }
    return n;
  }
}

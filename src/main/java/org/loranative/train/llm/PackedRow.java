package org.loranative.train.llm;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.loranative.UserException;
import org.loranative.data.llm.Example;
import org.loranative.model.llm.LlmBase;
import org.loranative.model.llm.LlmGraph;

/** Examples one behind the other, as the inputs of a graph that reads them: all [tokens]. */
record PackedRow(int[] ids, int[] positions, int[] start, int[] labels) {

  /**
   * @param tokens of the row; what the examples leave of it becomes documents of its own that
   *     nothing is learnt from
   * @param maxDocument most tokens of one of those
   */
  static PackedRow of(List<Example> examples, int tokens, int maxDocument) {
    PackedRow row =
        new PackedRow(new int[tokens], new int[tokens], new int[tokens], new int[tokens]);
    Arrays.fill(row.labels, -1);
    int at = 0;
    for (Example s : examples) {
      System.arraycopy(s.ids(), 0, row.ids, at, s.length());
      System.arraycopy(s.labels(), 0, row.labels, at, s.length());
      row.document(at, s.length());
      at += s.length();
    }
    for (; at < tokens; at += maxDocument) {
      row.document(at, Math.min(maxDocument, tokens - at));
    }
    return row;
  }

  private void document(int from, int length) {
    for (int i = 0; i < length; i++) {
      positions[from + i] = i;
      start[from + i] = from;
    }
  }

  /** By the names of {@link LlmGraph}. */
  Map<String, int[]> inputs() {
    return Map.of(
        LlmGraph.IDS,
        ids,
        LlmGraph.POSITIONS,
        positions,
        LlmGraph.DOC_START,
        start,
        LlmGraph.LABELS,
        labels);
  }

  /** A tokenizer that does not belong to the base shows here, not as a fault on the device. */
  static void requireIds(LlmBase base, List<Example> examples) {
    int vocab = base.config().vocab();
    for (Example s : examples) {
      for (int id : s.ids()) {
        if (id >= vocab) {
          throw new UserException(
              "The tokenizer of "
                  + base.path()
                  + " gives the token id "
                  + id
                  + " ("
                  + s.source()
                  + "), but the model's vocabulary has "
                  + vocab
                  + ".");
        }
      }
    }
  }
}

package org.loranative.train.llm;

import java.util.ArrayList;
import java.util.List;
import org.loranative.data.llm.Example;

/**
 * A few records that are measured again and again, and the same with their answers exchanged: each
 * answer behind the prompt of another. If the loss of the latter is as low, the answers have
 * nothing to do with their prompts, or the model does not read them.
 */
record LlmProbe(List<Example> records, List<Example> swapped) {

  /**
   * @param examples to take records from, evenly
   * @param most records
   * @param maxLength that exchanged records are cut to
   */
  static LlmProbe of(List<Example> examples, int most, int maxLength) {
    List<Example> records = new ArrayList<>();
    int n = Math.min(most, examples.size());
    for (int i = 0; i < n; i++) {
      records.add(examples.get((int) ((long) i * examples.size() / n)));
    }
    List<Example> answering =
        records.stream().filter(s -> prompt(s) > 0 && s.labelled() > 0).toList();
    List<Example> swapped = new ArrayList<>();
    for (int i = 0; i < answering.size() && answering.size() > 1; i++) {
      Example other = answering.get((i + 1) % answering.size());
      swapped.add(join(answering.get(i), other, maxLength));
    }
    swapped.removeIf(s -> s.labelled() == 0);
    return new LlmProbe(List.copyOf(records), List.copyOf(swapped));
  }

  /** Tokens before the last one that has nothing to predict but the answer's first. */
  private static int prompt(Example s) {
    int n = 0;
    while (n < s.length() && s.labels()[n] < 0) {
      n++;
    }
    return n;
  }

  /** The prompt of one and the answer of another, with what follows either; named by the answer. */
  private static Example join(Example asks, Example answers, int maxLength) {
    int head = prompt(asks) + 1; // the last token of the prompt predicts the answer's first
    int from = prompt(answers) + 1;
    int length = Math.min(maxLength, head + answers.length() - from);
    int[] ids = new int[length];
    int[] labels = new int[length];
    for (int i = 0; i < length; i++) {
      ids[i] = i < head ? asks.ids()[i] : answers.ids()[i - head + from];
      labels[i] = i < head ? -1 : answers.labels()[i - head + from];
    }
    if (head <= length) {
      labels[head - 1] = answers.labels()[from - 1];
    }
    return new Example(ids, labels, answers.source());
  }
}

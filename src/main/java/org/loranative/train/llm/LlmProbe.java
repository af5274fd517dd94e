package org.loranative.train.llm;

import java.util.ArrayList;
import java.util.List;
import org.loranative.data.llm.Sample;

/**
 * A few training records that are measured again and again, and the same with their answers
 * exchanged: each prompt before the answer of the next. If the loss of the latter is as low, the
 * answers have nothing to do with their prompts, or the model does not read them.
 */
record LlmProbe(List<Sample> records, List<Sample> swapped) {
  private static final int MOST = 16;

  /**
   * @param samples to take records from, evenly
   * @param maxLength that exchanged records are cut to
   */
  static LlmProbe of(List<Sample> samples, int maxLength) {
    List<Sample> records = new ArrayList<>();
    int n = Math.min(MOST, samples.size());
    for (int i = 0; i < n; i++) {
      records.add(samples.get((int) ((long) i * samples.size() / n)));
    }
    List<Sample> answering =
        records.stream().filter(s -> prompt(s) > 0 && s.labelled() > 0).toList();
    List<Sample> swapped = new ArrayList<>();
    for (int i = 0; i < answering.size() && answering.size() > 1; i++) {
      Sample other = answering.get((i + 1) % answering.size());
      swapped.add(join(answering.get(i), other, maxLength));
    }
    swapped.removeIf(s -> s.labelled() == 0);
    return new LlmProbe(List.copyOf(records), List.copyOf(swapped));
  }

  /** Tokens before the last one that has nothing to predict but the answer's first. */
  private static int prompt(Sample s) {
    int n = 0;
    while (n < s.length() && s.labels()[n] < 0) {
      n++;
    }
    return n;
  }

  /** The prompt of one and the answer of another, with what follows either. */
  private static Sample join(Sample asks, Sample answers, int maxLength) {
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
    return new Sample(ids, labels, asks.source());
  }
}

package org.loranative.data.llm;

import java.util.ArrayList;
import java.util.List;
import org.loranative.random.Philox;

/**
 * Which examples go together, and when: a function of the seed and the epoch alone, so that a
 * resumed run meets the batches it would have met. A batch is a packed row, its examples one behind
 * the other; nothing is padded to the longest.
 */
public final class Batches {
  private final List<Example> examples;
  private final Limits limits;

  /**
   * @param batchSize examples of a batch, or rows of {@code maxLength} tokens when packing
   * @param packing fill rows of {@code maxLength} tokens with whole examples
   * @param shuffle a new order each epoch; otherwise the file's
   */
  public record Limits(int batchSize, boolean packing, int maxLength, boolean shuffle, long seed) {}

  public Batches(List<Example> examples, Limits limits) {
    this.examples = List.copyOf(examples);
    this.limits = limits;
  }

  /** The batches of an epoch, 0 for the first. */
  public List<List<Example>> epoch(int epoch) {
    List<Example> ordered = examples;
    if (limits.shuffle()) {
      ordered = new ArrayList<>();
      for (int i : Philox.permutation(examples.size(), limits.seed(), Philox.DATA_ORDER, epoch)) {
        ordered.add(examples.get(i));
      }
    }
    List<List<Example>> rows = limits.packing() ? pack(ordered) : singles(ordered);
    List<List<Example>> batches = new ArrayList<>();
    for (int i = 0; i < rows.size(); i += limits.batchSize()) {
      batches.add(
          rows.subList(i, Math.min(i + limits.batchSize(), rows.size())).stream()
              .flatMap(List::stream)
              .toList());
    }
    return batches;
  }

  private static List<List<Example>> singles(List<Example> ordered) {
    return ordered.stream().map(List::of).toList();
  }

  /** First fit over the rows that are still open; a full window of them keeps it linear. */
  private List<List<Example>> pack(List<Example> ordered) {
    int window = 64;
    List<List<Example>> rows = new ArrayList<>();
    List<Integer> used = new ArrayList<>();
    for (Example s : ordered) {
      int row = Math.max(0, rows.size() - window);
      while (row < rows.size() && used.get(row) + s.length() > limits.maxLength()) {
        row++;
      }
      if (row == rows.size()) {
        rows.add(new ArrayList<>());
        used.add(0);
      }
      rows.get(row).add(s);
      used.set(row, used.get(row) + s.length());
    }
    return rows;
  }

  /** Tokens of a batch. */
  public static int tokens(List<Example> batch) {
    return batch.stream().mapToInt(Example::length).sum();
  }

  /** Labels of a batch. */
  public static int labelled(List<Example> batch) {
    return batch.stream().mapToInt(Example::labelled).sum();
  }
}

package org.loranative.data.llm;

import java.util.ArrayList;
import java.util.List;
import org.loranative.random.Philox;

/**
 * Which samples go together, and when: a function of the seed and the epoch alone, so that a
 * resumed run meets the batches it would have met. A batch is a packed row, its samples one behind
 * the other; nothing is padded to the longest.
 */
public final class Batches {
  private final List<Sample> samples;
  private final Setting setting;

  /**
   * @param batchSize samples of a batch, or rows of {@code maxLength} tokens when packing
   * @param packing fill rows of {@code maxLength} tokens with whole samples
   * @param shuffle a new order each epoch; otherwise the file's
   */
  public record Setting(
      int batchSize, boolean packing, int maxLength, boolean shuffle, long seed) {}

  public Batches(List<Sample> samples, Setting setting) {
    this.samples = List.copyOf(samples);
    this.setting = setting;
  }

  /** The batches of an epoch, 0 for the first. */
  public List<List<Sample>> epoch(int epoch) {
    List<Sample> ordered = samples;
    if (setting.shuffle()) {
      ordered = new ArrayList<>();
      for (int i : Philox.permutation(samples.size(), setting.seed(), Philox.DATA_ORDER, epoch)) {
        ordered.add(samples.get(i));
      }
    }
    List<List<Sample>> rows = setting.packing() ? pack(ordered) : singles(ordered);
    List<List<Sample>> batches = new ArrayList<>();
    for (int i = 0; i < rows.size(); i += setting.batchSize()) {
      batches.add(
          rows.subList(i, Math.min(i + setting.batchSize(), rows.size())).stream()
              .flatMap(List::stream)
              .toList());
    }
    return batches;
  }

  private static List<List<Sample>> singles(List<Sample> ordered) {
    return ordered.stream().map(List::of).toList();
  }

  /** First fit over the rows that are still open; a full window of them keeps it linear. */
  private List<List<Sample>> pack(List<Sample> ordered) {
    int window = 64;
    List<List<Sample>> rows = new ArrayList<>();
    List<Integer> used = new ArrayList<>();
    for (Sample s : ordered) {
      int row = Math.max(0, rows.size() - window);
      while (row < rows.size() && used.get(row) + s.length() > setting.maxLength()) {
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
  public static int tokens(List<Sample> batch) {
    return batch.stream().mapToInt(Sample::length).sum();
  }

  /** Labels of a batch. */
  public static int labelled(List<Sample> batch) {
    return batch.stream().mapToInt(Sample::labelled).sum();
  }
}

package org.loranative.train.proposal;

import java.util.Collections;
import java.util.List;
import org.loranative.Counted;

/** What {@code max_length} does to examples of some lengths, in tokens. */
final class Lengths {
  /** The most that {@code max_length} may be. */
  static final int MOST = 1 << 20;

  /** Up to here the longest example decides. */
  private static final int LONG = 2048;

  /** Beyond it, the most that is proposed, and the share of tokens that may be lost for less. */
  private static final int LONGEST = 8192;

  private static final double LOST = 0.01;
  private static final int STEP = 64;

  private Lengths() {}

  /** The least multiple of 64 that cuts nothing, or, of long examples, hardly anything. */
  static int fitting(List<Integer> lengths) {
    int longest = Collections.max(lengths);
    long all = lengths.stream().mapToLong(Integer::longValue).sum();
    int chosen = Math.min((longest + STEP - 1) / STEP * STEP, LONG);
    while (chosen < LONGEST && tokens(lengths, chosen) > LOST * all) {
      chosen += STEP;
    }
    return chosen;
  }

  /** How many tokens are cut away. */
  static long tokens(List<Integer> lengths, int most) {
    return lengths.stream().mapToLong(n -> Math.max(0, n - most)).sum();
  }

  /** The same for people. */
  static String lost(List<Integer> lengths, int most) {
    int longest = Collections.max(lengths);
    long lost = tokens(lengths, most);
    if (lost == 0) {
      return "no tokens lost: the longest example has " + longest;
    }
    long cut = lengths.stream().filter(n -> n > most).count();
    long all = lengths.stream().mapToLong(Integer::longValue).sum();
    return String.format(
        "%s lost (%.1f %%): %d of %s cut, the longest has %d",
        Counted.of(lost, "token"),
        100.0 * lost / all,
        cut,
        Counted.of(lengths.size(), "example"),
        longest);
  }
}

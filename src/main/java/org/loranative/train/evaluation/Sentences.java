package org.loranative.train.evaluation;

import org.loranative.Counted;

/** Figures in words. */
final class Sentences {
  /** More records than this are no advice. */
  private static final double MOST = 1e6;

  private Sentences() {}

  /**
   * Whether the adapter is better by a figure, and what would tell if that is not known.
   *
   * @param needed how many records like these would tell
   */
  static String verdict(Figure figure, int records, double needed) {
    Figure.Comparison c = figure.comparison().orElseThrow();
    String by = c.changeUnit().show(c.change());
    return switch (c.verdict()) {
      case BETTER ->
          String.format("By %s the adapter is better than its base: %s.", figure.name(), by);
      case WORSE ->
          String.format("By %s the adapter is worse than its base: %s.", figure.name(), by);
      case CANNOT_BE_TOLD ->
          String.format(
              "By %s it cannot be told whether the adapter is better: %s%s.",
              figure.name(), by, why(c.change(), records, needed));
    };
  }

  private static String why(Estimate change, int records, double needed) {
    if (records < Verdict.FEWEST) {
      return String.format(
          " from %s; at least %d are needed", Counted.of(records, "record"), Verdict.FEWEST);
    }
    if (change.value() == 0) {
      return ", no difference";
    }
    return needed > records && needed < MOST
        ? String.format(
            " may be chance; some %,.0f records like these would tell a difference of this size",
            needed)
        : " may be chance";
  }
}

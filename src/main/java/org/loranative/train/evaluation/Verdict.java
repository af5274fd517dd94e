package org.loranative.train.evaluation;

/** What a difference between an adapter and its base says. */
public enum Verdict {
  BETTER,
  WORSE,
  CANNOT_BE_TOLD;

  /** Fewer records tell nothing of others. */
  static final int FEWEST = 5;

  /**
   * @param sure whether another test agrees that there is a difference
   */
  static Verdict of(Estimate change, boolean lowerIsBetter, int records, boolean sure) {
    if (records < FEWEST || !sure || !change.isNotZero()) {
      return CANNOT_BE_TOLD;
    }
    return change.value() < 0 == lowerIsBetter ? BETTER : WORSE;
  }
}

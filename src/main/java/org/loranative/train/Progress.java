package org.loranative.train;

/**
 * How a run has gone so far, which its checkpoints keep: what rollbacks made of the learning rate,
 * and the best validation loss.
 *
 * @param rateFactor that the learning rate is multiplied by
 * @param rollbacks done
 * @param bestStep where the validation loss was lowest, 0 before the first measurement
 * @param sinceBest measurements since then that were no better
 */
record Progress(double rateFactor, int rollbacks, int bestStep, double bestLoss, int sinceBest) {
  static final Progress START = new Progress(1, 0, 0, Double.POSITIVE_INFINITY, 0);

  /** After a measurement of the validation loss. */
  Progress measured(int step, double loss) {
    return loss < bestLoss
        ? new Progress(rateFactor, rollbacks, step, loss, 0)
        : new Progress(rateFactor, rollbacks, bestStep, bestLoss, sinceBest + 1);
  }

  /** After going back to a checkpoint, whose progress this is, from one that had {@code now}. */
  Progress rolledBack(Progress now) {
    return new Progress(now.rateFactor / 2, now.rollbacks + 1, bestStep, bestLoss, sinceBest);
  }
}

package org.loranative.diagnose;

import java.util.Optional;

/** A loss that ends where it began, by the best measure there is. */
final class Flat implements Check {
  private static final int FEWEST = 30;

  /** Of training alone. */
  private static final int FEWEST_STEPS = 100;

  /** What is measured must show changes smaller than this. */
  private static final double COARSE = 0.03;

  /** Share of the loss that does not move at all. */
  private static final double STILL = 0.001;

  /** Share of the loss that is no progress worth a run. */
  private static final double NOTHING = 0.003;

  /** Of the training loss, whose noise hides more. */
  private static final double LITTLE = 0.02;

  /** The same where the rate explains that nothing happens. */
  private static final double SLOW_HIDDEN = 0.06;

  /** What a run whose rate is far below the usual must gain not to be called slow. */
  private static final double SLOW = 0.03;

  @Override
  public Optional<Finding> find(RunCurves run) {
    if (run.loss().finite().size() < FEWEST) {
      return Optional.empty();
    }
    for (Curve c : run.measured()) {
      if (c.size() >= 4 && new MeasuredLoss(c).resolution() < COARSE) {
        return measured(run, c);
      }
    }
    return training(run);
  }

  private static Optional<Finding> measured(RunCurves run, Curve c) {
    MeasuredLoss measured = new MeasuredLoss(c);
    boolean slow = new Advice(run).isSlow() && run.isWhole();
    double fell = measured.fellAtBest();
    // Measured first when the run had learnt already, only what does not move at all is flat.
    double own = Statistics.jitter(c.values(), -1) / Math.max(1e-12, Math.abs(c.first()));
    boolean early = c.steps()[0] <= 1;
    double nothing = early ? NOTHING + own : own < STILL && c.size() >= 6 ? STILL : -1;
    if (fell > (slow ? SLOW : nothing) || measured.fell() < -0.05 || fellBefore(run, c)) {
      return Optional.empty();
    }
    return Optional.of(
        new Finding(
            Finding.Symptom.FLAT,
            c.steps()[0],
            String.format(
                "measured on the same records each time, the loss is %.4g at step %d and %.4g at"
                    + " step %d, %.2g %% lower at best",
                c.first(), c.steps()[0], c.last(), c.lastStep(), 100 * fell),
            advice(run)));
  }

  /**
   * Whether the training loss fell before the first measurement, so that this one came too late.
   */
  private static boolean fellBefore(RunCurves run, Curve measured) {
    Level level = new Level(run.loss().finite());
    int n = level.size();
    int late = level.curve.since(measured.steps()[0]).size();
    if (n == late || late < 4) {
      return false;
    }
    int early = Math.max(1, Math.min(5, (n - late) / 2));
    double fell = level.mean(0, early) - level.mean(n - late, n);
    return fell > 0.03 && fell > 3 * level.error(early, late);
  }

  private static Optional<Finding> training(RunCurves run) {
    Level level = new Level(run.loss().finite());
    Level.Fall fall = level.fall();
    boolean slow = new Advice(run).isSlow() && run.isWhole();
    if (fall.most() > (slow ? SLOW_HIDDEN : LITTLE)
        || fall.least() < -0.1
        || level.wanders()
        || level.size() < FEWEST_STEPS) {
      return Optional.empty();
    }
    return Optional.of(
        new Finding(
            Finding.Symptom.FLAT,
            level.curve.steps()[0],
            String.format(
                "the loss is %.4g in the first quarter and %.4g in the last, a fall of no more than"
                    + " %.1f %%",
                fall.first(), fall.last(), 100 * Math.max(0, fall.most())),
            advice(run)));
  }

  private static String advice(RunCurves run) {
    Advice advice = new Advice(run);
    if (advice.isSlow()) {
      return "Set " + advice.higherRate();
    }
    return "Look whether captions or answers belong to their images or questions; then set "
        + advice.higherRate()
        + ". A base that knows the data already also looks like this";
  }
}

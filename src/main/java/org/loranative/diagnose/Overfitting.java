package org.loranative.diagnose;

import java.util.Optional;

/**
 * The loss on data that is not trained on rises while the other falls, or does not follow it at
 * all.
 */
final class Overfitting implements Check {
  /** What the probe lost and validation did not. */
  private static final double GAP = 0.25;

  @Override
  public Optional<Finding> find(RunCurves run) {
    MeasuredLoss validation = new MeasuredLoss(run.validation().finite());
    return rises(run, validation).or(() -> isLeft(run, validation));
  }

  private static Optional<Finding> rises(RunCurves run, MeasuredLoss validation) {
    boolean whole = run.isWhole() || run.number("total_steps").isEmpty();
    MeasuredLoss.Rise rise = validation.rise(whole);
    Curve c = validation.curve;
    boolean shown = rise.isSure() || rise.isOnce();
    if (!shown || !isLeftBehind(run, c.steps()[rise.lowest()], rise.share())) {
      return Optional.empty();
    }
    long best = c.steps()[rise.lowest()];
    String evidence =
        String.format(
            "the validation loss was lowest at step %d (%.4g) and is %.4g now, %.1f %% higher",
            best, c.values()[rise.lowest()], c.last(), 100 * rise.share());
    Optional<Paired> pairs = Paired.of(run, "val", best, c.lastStep());
    if (pairs.isPresent() && !pairs.get().isSure()) {
      return Optional.of(
          new Finding(
              Finding.Symptom.CANNOT_TELL,
              best,
              evidence + ", but " + pairs.get(),
              String.format(
                  "Some %d held-out records would tell a change of 1 %%, or the next measurements",
                  pairs.get().wouldShow(0.01))));
    }
    evidence += pairs.map(p -> " (" + p + ")").orElse("");
    if (!rise.isSure()) {
      return Optional.of(
          new Finding(
              Finding.Symptom.CANNOT_TELL,
              best,
              evidence + ", in one measurement",
              "The next one tells whether it stays"));
    }
    Advice advice = new Advice(run);
    return Optional.of(
        new Finding(
            Finding.Symptom.OVERFITTING,
            best,
            evidence + ", while the training loss does not rise with it",
            advice.best(best) + "; " + advice.gentler()));
  }

  /** What is learnt of the training data helps nothing else. */
  private static Optional<Finding> isLeft(RunCurves run, MeasuredLoss validation) {
    MeasuredLoss probe = new MeasuredLoss(run.probe().finite());
    if (probe.size() < 4 || validation.size() < 4) {
      return Optional.empty();
    }
    double learnt = probe.fell();
    double helped = validation.fell();
    if (learnt < GAP || helped > learnt / 3 || helped > 0.1) {
      return Optional.empty();
    }
    Advice advice = new Advice(run);
    int lowest = validation.curve.lowest();
    return Optional.of(
        new Finding(
            Finding.Symptom.OVERFITTING,
            validation.curve.steps()[lowest],
            String.format(
                "on training data the loss fell by %.0f %% (probe), on data that is not trained on"
                    + " by %.1f %%",
                100 * learnt, 100 * helped),
            advice.best(validation.curve.steps()[lowest]) + "; " + advice.gentler()));
  }

  /**
   * Whether training does not rise with it by half as much: then it is the run that climbs.
   *
   * @param share that the validation loss rose by
   */
  static boolean isLeftBehind(RunCurves run, long since, double share) {
    Curve probe = run.probe().finite();
    if (probe.size() >= 3) {
      Curve after = probe.since(since);
      return after.size() < 2 || after.last() < (1 + share / 2) * after.first();
    }
    Level level = new Level(run.loss().finite());
    int n = level.size();
    if (n < 4) {
      return true;
    }
    int at = n - level.curve.since(since).size();
    int part = Math.max(2, Math.min(level.part(), n / 3));
    double then = level.mean(Math.max(0, at - part), Math.max(at, Math.min(n, part)));
    double now = level.mean(n - part, n);
    return now - then < Math.log1p(share) / 2;
  }

  /** Whether what is measured on the same records says that nothing is wrong with training. */
  static boolean isMeasuredFalling(RunCurves run) {
    for (Curve c : run.measured()) {
      if (c.size() >= 3) {
        return !new MeasuredLoss(c).rise(true).isSure() && c.last() < 1.1 * c.first();
      }
    }
    return false;
  }
}

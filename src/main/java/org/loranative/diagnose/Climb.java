package org.loranative.diagnose;

import java.util.Optional;

/**
 * A training loss that stands above its lowest level by more than its noise explains. Harder
 * records in a row do the same, so what is measured on the same records decides; without it a run
 * that shuffles, or a rise that records hardly explain.
 */
final class Climb implements Check {
  /** Share of the lowest level, and of the first, that a climb must exceed to matter. */
  private static final double MATTERS = 0.15;

  /** Logged points, each of so many steps, that show a level. */
  private static final int MEANS = 3;

  private static final double OF_STEPS = 20;

  /** A short run must climb by so much more, divided by its steps: it knows its noise less. */
  private static final double SHORT = 20;

  /** Beyond what sources differ by. */
  private static final double FAR = 2;

  @Override
  public Optional<Finding> find(RunCurves run) {
    return measured(run).or(() -> validated(run)).or(() -> means(run)).or(() -> training(run));
  }

  /** The probe, on training data, rises: that is never overfitting. */
  private static Optional<Finding> measured(RunCurves run) {
    MeasuredLoss probe = new MeasuredLoss(run.probe().finite());
    MeasuredLoss.Rise rise = probe.rise(run.isWhole());
    if (!rise.isSure() || rise.share() < 0.08) {
      return Optional.empty();
    }
    Curve c = probe.curve;
    return Optional.of(
        finding(
            c.steps()[rise.lowest()],
            String.format(
                "the probe loss climbs from %.4g at step %d to %.4g, on the same training records"
                    + " each time",
                c.values()[rise.lowest()], c.steps()[rise.lowest()], c.last()),
            run));
  }

  /** Validation rises and training with it. */
  private static Optional<Finding> validated(RunCurves run) {
    Curve c = run.validation().finite();
    MeasuredLoss.Rise rise = new MeasuredLoss(c).rise(run.isWhole());
    if (!rise.isSure()
        || rise.share() < MATTERS
        || Overfitting.isLeftBehind(run, c.steps()[rise.lowest()], rise.share())) {
      return Optional.empty();
    }
    return Optional.of(
        finding(
            c.steps()[rise.lowest()],
            String.format(
                "the validation loss climbs from %.4g at step %d to %.4g, and the training loss"
                    + " with it",
                c.values()[rise.lowest()], c.steps()[rise.lowest()], c.last()),
            run));
  }

  /** Few means of many steps each have hardly any noise: the last stand far above all before. */
  private static Optional<Finding> means(RunCurves run) {
    Curve loss = run.loss().finite();
    double[] v = loss.values();
    int n = v.length;
    if (n < 2 * MEANS || loss.stride() < OF_STEPS || Overfitting.isMeasuredFalling(run)) {
      return Optional.empty();
    }
    double low = v[loss.lowest()];
    for (int i = n - MEANS; i < n; i++) {
      if (v[i] < 1.1 * Math.max(v[0], v[1]) || v[i] < FAR * low) {
        return Optional.empty();
      }
    }
    return Optional.of(
        finding(
            loss.steps()[loss.lowest()],
            String.format(
                "the loss climbs from %.4g at step %d to %.4g, above its start",
                low, loss.steps()[loss.lowest()], v[n - 1]),
            run));
  }

  private static Optional<Finding> training(RunCurves run) {
    Level level = new Level(run.loss().finite());
    Level.Rise rise = level.rise();
    if (!matters(level, rise) || Overfitting.isMeasuredFalling(run)) {
      return Optional.empty();
    }
    boolean beyond = rise.ratio() > FAR && Math.exp(rise.now()) > level.loss(0, level.part());
    String evidence =
        String.format(
            "the loss climbs from %.4g at step %d to %.4g, %.0f standard errors",
            Math.exp(rise.low()),
            level.curve.steps()[rise.at()],
            Math.exp(rise.now()),
            rise.errors());
    if (run.isShuffled() || beyond) {
      return Optional.of(finding(begins(level, rise), evidence, run));
    }
    return Optional.of(
        new Finding(
            Finding.Symptom.CANNOT_TELL,
            begins(level, rise),
            evidence + ": a run that diverges does so, and so do harder records in a row",
            "A validation loss would tell (validation_fraction), or data in random order"));
  }

  private static boolean matters(Level level, Level.Rise rise) {
    if (!rise.isSure() || level.size() < 2 * level.lasting()) {
      return false;
    }
    double risen = Math.exp(rise.now()) - Math.exp(rise.low());
    return rise.ratio() > 1 + MATTERS + SHORT / level.size()
        && risen > MATTERS / 2 * level.loss(0, level.part());
  }

  /** The step from which on the loss stands nearer to its last level than to the lowest. */
  static long begins(Level level, Level.Rise rise) {
    int part = level.lasting();
    double middle = (rise.low() + rise.now()) / 2;
    int at = level.size() - part;
    while (at > rise.at() + part && level.mean(at - part / 2, at + part / 2) > middle) {
      at--;
    }
    return level.curve.steps()[at];
  }

  private static Finding finding(long step, String evidence, RunCurves run) {
    return new Finding(Finding.Symptom.CLIMB, step, evidence, new Advice(run).calm());
  }
}

package org.loranative.diagnose;

import java.util.Arrays;
import java.util.Optional;

/**
 * A loss that is beyond doubt worse than the untouched model's, or climbs far and stays: a run may
 * go back for it. {@link Climb} says what is less sure.
 */
final class Divergence implements Check {
  /** Steps that show a level at once. */
  private static final int AT_ONCE = 5;

  /** Guessing evenly among the tokens of a large vocabulary. */
  private static final double GUESSING = 12;

  /** What a diffusion model that predicts nothing has, nearly. */
  private static final double NOTHING = 0.8;

  private static final double RANGES = 6;
  private static final double TIMES = 1.7;

  @Override
  public Optional<Finding> find(RunCurves run) {
    return worseThanGuessing(run).or(() -> measured(run)).or(() -> farAboveStart(run));
  }

  /** The first steps lead to a loss that no model has which knows anything. */
  private static Optional<Finding> worseThanGuessing(RunCurves run) {
    Curve loss = run.loss().finite();
    double[] v = loss.values();
    int some = run.isDiffusion() ? 2 * AT_ONCE : AT_ONCE;
    if (v.length <= some) {
      return Optional.empty();
    }
    double limit =
        run.isDiffusion()
            ? NOTHING
            : run.number("vocab_size").stream()
                .map(x -> 1.1 * Math.log(x))
                .findFirst()
                .orElse(GUESSING);
    double start = v[0];
    if (start > 0.75 * limit) {
      return Optional.empty();
    }
    double now = Statistics.median(v, v.length - some, v.length);
    for (int i = 1; i + some <= v.length; i++) {
      if (v[i] <= limit) {
        continue;
      }
      double[] next = Arrays.copyOfRange(v, i, i + some);
      double level = Statistics.median(next);
      if (level > limit && now > start && (!run.isDiffusion() || isNothing(v, i, next, limit))) {
        return Optional.of(
            finding(
                loss.steps()[i],
                String.format(
                    "the loss climbs from %.4g at the start to %.4g, worse than guessing",
                    start, level),
                run));
      }
    }
    return Optional.empty();
  }

  /**
   * From here on a diffusion model predicts nothing, which is as bad on one image as on another.
   */
  private static boolean isNothing(double[] v, int from, double[] next, double limit) {
    return Statistics.median(next) > 4 * v[0]
        && Statistics.quantile(next, 0.2) > 0.9 * limit
        && Statistics.median(v, from, v.length) > limit;
  }

  /** The same records are worse by half than before anything was learnt, and stay so. */
  private static Optional<Finding> measured(RunCurves run) {
    double training = new Level(run.loss().finite()).rise().ratio();
    for (Curve curve : run.measured()) {
      double[] v = curve.values();
      int n = v.length;
      if (n >= 3 && v[n - 1] > 1.5 * v[0] && v[n - 2] > 1.5 * v[0] && training > 1.3) {
        return Optional.of(
            finding(
                curve.steps()[curve.lowest()],
                String.format(
                    "measured on the same records each time the loss climbs from %.4g to %.4g, and"
                        + " the training loss with it",
                    v[0], v[n - 1]),
                run));
      }
    }
    return Optional.empty();
  }

  private static Optional<Finding> farAboveStart(RunCurves run) {
    Curve loss = run.loss().finite();
    if (loss.size() < 3 * AT_ONCE || Overfitting.isMeasuredFalling(run)) {
      return Optional.empty();
    }
    Level level = new Level(loss);
    Level.Rise rise = level.rise();
    double[] v = loss.values();
    int part = level.part();
    double start = level.loss(0, Math.min(part, v.length));
    double now = Math.exp(rise.now());
    double[] before = Arrays.copyOfRange(v, 0, Math.max(part, v.length - 2 * part));
    double range = Statistics.quantile(before, 0.75) - Statistics.quantile(before, 0.25);
    boolean far = now - Math.exp(rise.low()) > RANGES * range || rise.ratio() > 3;
    if (!rise.isSure() || !far || rise.ratio() < TIMES || now < 1.2 * start) {
      return Optional.empty();
    }
    return Optional.of(
        finding(
            Climb.begins(level, rise),
            String.format(
                "the loss climbs from %.4g at step %d to %.4g, far above its start, and stays"
                    + " there",
                Math.exp(rise.low()), loss.steps()[rise.at()], now),
            run));
  }

  private static Finding finding(long step, String evidence, RunCurves run) {
    return new Finding(Finding.Symptom.UNSTABLE, step, evidence, new Advice(run).calm());
  }
}

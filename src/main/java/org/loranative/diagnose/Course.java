package org.loranative.diagnose;

import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.loranative.Counted;

/** How a loss goes with which nothing is wrong; or that it cannot be told, and what would tell. */
final class Course {
  private static final int FEWEST = 20;

  /** Points that show something where each is a mean of many steps. */
  private static final int FEWEST_MEANS = 5;

  private static final double MANY = 20;

  /** One-sided half a percent. */
  private static final double SURE = 2.58;

  /** Share of the loss that further steps must win to matter. */
  private static final double MATTERS = 0.01;

  /** Share that a loss falls by if it never rises and does not do so by chance. */
  private static final double MUCH = 0.03;

  Finding of(RunCurves run) {
    Curve loss = run.loss().finite();
    for (Curve c : List.of(run.validation().finite(), run.probe().finite())) {
      if (c.size() >= 4) {
        return measured(run, c);
      }
    }
    boolean means = loss.stride() >= MANY;
    if (loss.size() < (means ? FEWEST_MEANS : FEWEST)) {
      return cannotTell(
          means
              ? Counted.of(loss.size(), "mean")
                  + " of "
                  + Math.round(loss.stride())
                  + " steps so far"
              : Counted.of(loss.size(), "step") + " so far",
          means
              ? "Log more often"
              : "Wait for at least "
                  + FEWEST
                  + " steps, or for four measurements of a validation"
                  + " loss");
    }
    return training(run, new Level(loss));
  }

  private static Finding measured(RunCurves run, Curve c) {
    MeasuredLoss m = new MeasuredLoss(c);
    String name = c.equals(run.validation().finite()) ? "validation loss" : "probe loss";
    double[] v = c.values();
    int n = v.length;
    String set = name.equals("validation loss") ? "val" : "probe";
    if (!fell(run, c, set, m) && v[n - 1] < v[0] * (1 + m.resolution())) {
      return cannotTell(
          String.format(
              "the %s is %.4g at first and %.4g now, and varies by %.2g %% by itself",
              name, v[0], m.end(), 100 * m.jitter / v[0]),
          "More held-out records or a longer run would tell a smaller change");
    }
    String says = String.format("the %s fell from %.4g to %.4g", name, v[0], v[c.lowest()]);
    int back = Math.max(1, Math.min(n / 4, n - 1));
    Optional<Paired> pairs = Paired.of(run, set, c.steps()[n - 1 - back], c.lastStep());
    if (pairs.isPresent()) {
      return paired(c, says, pairs.get(), c.lastStep() - c.steps()[n - 1 - back]);
    }
    double lately = 1 - v[n - 1] / v[n - 1 - back];
    double least = Math.max(MATTERS, 2 * m.jitter / Math.abs(v[n - 1]));
    return lately > least
        ? falling(c.steps()[0], says, lately, back * (long) c.stride())
        : plateau(c, says, least);
  }

  /**
   * Whether it fell, by the same records where they are known. A few measurements that fall ever
   * more slowly bend as if they jittered, but not one of them rises.
   */
  private static boolean fell(RunCurves run, Curve c, String set, MeasuredLoss m) {
    double[] v = c.values();
    double fell = 1 - v[c.lowest()] / v[0];
    boolean neverRises = IntStream.range(1, v.length).allMatch(i -> v[i] < v[i - 1]);
    return Paired.of(run, set, c.steps()[0], c.steps()[c.lowest()])
        .map(p -> p.isSure() && p.fell() >= MATTERS)
        .orElse(fell >= Math.max(MATTERS, m.resolution()) || neverRises && fell >= MUCH);
  }

  /** Whether it still falls, by the same records. */
  private static Finding paired(Curve c, String says, Paired lately, long steps) {
    String shown = String.format("%s; the last %d steps: %s", says, steps, lately);
    if (lately.low() > 0 && lately.fell() > MATTERS / 4) {
      return new Finding(
          Finding.Symptom.DESCENT,
          c.steps()[0],
          shown,
          "It still falls: more epochs would lower it further");
    }
    if (!lately.isSure() && lately.resolution() > MATTERS) {
      return cannotTell(
          String.format(
              "%s; %d records show changes from %.2g %% on",
              shown, lately.records(), 100 * lately.resolution()),
          String.format(
              "Whether it still falls, some %d held-out records would tell (1 %%), or the next"
                  + " measurements",
              lately.wouldShow(MATTERS)));
    }
    Finding f = plateau(c, says, Math.max(MATTERS, lately.resolution()));
    return new Finding(
        f.symptom(),
        f.step(),
        String.format("%s; the last %d steps: %s", f.evidence(), steps, lately),
        f.advice());
  }

  private static Finding training(RunCurves run, Level level) {
    Curve c = level.curve;
    int n = c.size();
    Level.Fall fall = level.fall();
    String says = String.format("the loss fell from %.4g to %.4g", fall.first(), fall.last());
    // Means of many steps each are as good as independent: their order tells.
    boolean ordered = c.stride() >= MANY && Statistics.trend(c.values()) < -SURE;
    if (fall.least() <= 0 && !ordered) {
      double shown = fall.share() - fall.least();
      return cannotTell(
          String.format(
              "the loss is %.4g in the first quarter and %.4g in the last, and its noise hides %s",
              fall.first(),
              fall.last(),
              shown < 1 ? String.format("changes below %.0f %%", 100 * shown) : "any change"),
          run.isDiffusion()
              ? "The probe loss, or validation, on the same noise each time would tell (eval_steps)"
              : "A validation loss would tell (validation_fraction)");
    }
    int part = Math.max(2, n / 5);
    double lately = 1 - Math.exp(level.mean(n - part, n) - level.mean(n - 2 * part, n - part));
    double least = Math.max(MATTERS, 2 * level.error(part, part));
    if (lately > least) {
      return falling(c.steps()[0], says, lately, Math.round(part * c.stride()));
    }
    Curve blocks = c.blocks(Math.min(n, 20));
    return plateau(blocks, says, Math.max(0.02, least));
  }

  private static Finding falling(long step, String says, double lately, long steps) {
    return new Finding(
        Finding.Symptom.DESCENT,
        step,
        String.format(
            "%s and still falls, %.1f %% in the last %d steps", says, 100 * lately, steps),
        "More epochs would lower it further");
  }

  /** The step after which nothing that matters was won. */
  private static Finding plateau(Curve c, String says, double least) {
    double[] v = c.values();
    double low = v[c.lowest()];
    int reached = 0;
    while (reached < v.length - 1 && v[reached] > low * (1 + least)) {
      reached++;
    }
    long step = c.steps()[reached];
    return new Finding(
        Finding.Symptom.PLATEAU,
        step,
        String.format("%s and was within %.1f %% of that by step %d", says, 100 * least, step),
        "Nothing to change; further runs could stop at about step " + step);
  }

  private static Finding cannotTell(String evidence, String advice) {
    return new Finding(Finding.Symptom.CANNOT_TELL, 0, evidence, advice);
  }
}

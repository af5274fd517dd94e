package org.loranative.diagnose;

import java.util.Optional;

/** A loss that ends where it began, by any test that could tell. */
final class Flat implements Check {
  private static final int FEWEST = 30;
  private static final double TINY_RATE = 1e-6;

  /** One-sided 1 %: a descent must be beyond doubt to be one. */
  private static final double SURE = 2.33;

  @Override
  public Optional<Finding> find(RunCurves run) {
    if (run.loss().finite().size() < FEWEST) {
      return Optional.empty();
    }
    if (run.isDiffusion() && !run.hasProbe()) {
      return Optional.empty(); // noise hides what a run of any usual length changes
    }
    Curve signal = run.signal();
    int n = signal.size();
    int quarter = Math.max(1, n / 4);
    double[] v = signal.values();
    double first = Statistics.mean(v, 0, quarter);
    double last = Statistics.mean(v, n - quarter, n);
    boolean flat;
    if (run.hasProbe()) {
      // The same images and noise each time: what does not move does not learn.
      flat = Math.abs(first - last) < 0.002 * Math.abs(first);
    } else {
      double error = Statistics.noise(v) * Math.sqrt(2.0 / quarter);
      double trend = Statistics.trend(signal.blocks(Math.min(20, n / 3)).values());
      flat = first - last < 3 * error && trend > -SURE;
    }
    if (!flat) {
      return Optional.empty();
    }
    return Optional.of(
        new Finding(
            Finding.Kind.FLAT,
            signal.steps()[0],
            String.format(
                "the %s is %.4g in the first quarter and %.4g in the last",
                run.hasProbe() ? "probe loss" : "loss", first, last),
            advice(run)));
  }

  private static String advice(RunCurves run) {
    Curve rate = run.rate().finite();
    double highest = 0;
    for (double r : rate.values()) {
      highest = Math.max(highest, r);
    }
    if (rate.size() > 0 && highest < TINY_RATE) {
      return String.format(
          "The learning rate never exceeds %.2g: set learning_rate: %s", highest, run.usualRate());
    }
    double start = run.loss().finite().values()[0];
    if (!run.isDiffusion() && start > 8) {
      return "A loss this high means random or foreign weights, or another model's tokenizer: check"
          + " base_model";
    }
    return "Raise learning_rate, and look whether captions or answers belong to their images or"
        + " questions; a base that knows the data already also looks like this";
  }
}

package org.loranative.diagnose;

import java.util.Arrays;
import java.util.Optional;

/** The loss on data that is not trained on rises while the other falls. */
final class Overfitting implements Check {
  private static final int FEWEST = 4;

  /** Share of its lowest value that the validation loss must rise by. */
  private static final double RISE = 0.01;

  private static final double STRONG_RISE = 0.05;

  @Override
  public Optional<Finding> find(RunCurves run) {
    Curve validation = run.validation().finite();
    if (validation.size() < FEWEST) {
      return Optional.empty();
    }
    double[] v = validation.values();
    int lowest = 0;
    for (int i = 1; i < v.length; i++) {
      lowest = v[i] < v[lowest] ? i : lowest;
    }
    int after = v.length - 1 - lowest;
    double rise = v[v.length - 1] / v[lowest] - 1;
    double[] since = Arrays.copyOfRange(v, lowest, v.length);
    boolean rises =
        after >= 2 && rise > STRONG_RISE && v[v.length - 2] > v[lowest]
            || after >= 3 && rise > RISE && Statistics.trend(since) > Statistics.SIGNIFICANT;
    if (!rises || !trainingFalls(run, validation.steps()[lowest])) {
      return Optional.empty();
    }
    return Optional.of(
        new Finding(
            Finding.Kind.OVERFITTING,
            validation.steps()[lowest],
            String.format(
                "the validation loss was lowest at step %d (%.4g) and is %.1f %% higher now, while"
                    + " the training loss falls",
                validation.steps()[lowest], v[lowest], 100 * rise),
            String.format(
                "Use the checkpoint of about step %d (early_stop, best), a lower lora_rank,"
                    + " learning_rate: %s, fewer epochs, or more varied data",
                validation.steps()[lowest], run.gentleRate())));
  }

  /** Whether training goes on to fall, or there is nothing to tell by. */
  private static boolean trainingFalls(RunCurves run, long since) {
    Curve signal = run.signal();
    if (signal.size() < 4) {
      return true;
    }
    int at = 0;
    while (at < signal.size() - 1 && signal.steps()[at] < since) {
      at++;
    }
    double[] v = signal.values();
    int window = run.hasProbe() ? 1 : Math.max(3, v.length / 10);
    double then = Statistics.mean(v, Math.max(0, at - window + 1), at + 1);
    double now = Statistics.mean(v, v.length - window, v.length);
    return now < then;
  }
}

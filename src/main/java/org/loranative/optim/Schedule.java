package org.loranative.optim;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Learning-rate schedules, equal to Hugging Face's {@code get_scheduler} where it has them: warmup
 * rises linearly from 0, so the first step of a warmup has rate 0.
 */
public enum Schedule {
  CONSTANT,
  CONSTANT_WITH_WARMUP,
  LINEAR,
  COSINE,
  COSINE_WITH_RESTARTS,
  POLYNOMIAL,
  /** Rises by the same factor each step, to see where the loss stops falling (Smith 2017). */
  RANGE_TEST;

  /** A range test begins at the highest rate over this. */
  public static final double RANGE = 1e4;

  /** Where a polynomial decay ends, as in Hugging Face's. */
  private static final double POLYNOMIAL_END = 1e-7;

  /**
   * @param warmup steps of linear rise
   * @param total steps of the run
   * @param cycles of {@link #COSINE_WITH_RESTARTS}
   * @param power of {@link #POLYNOMIAL}
   */
  public record Curve(
      Schedule schedule, double learningRate, int warmup, int total, int cycles, double power) {
    /** Whether the rate rises from 0 at first. */
    public boolean warmsUp() {
      return warmup > 0 && schedule != CONSTANT;
    }

    /** The rate of optimizer step {@code step}, 1 for the first. */
    public double at(int step) {
      int current = step - 1;
      if (schedule == CONSTANT) {
        return learningRate;
      }
      if (current < warmup) {
        return learningRate * current / warmup;
      }
      double done = (double) (current - warmup) / Math.max(1, total - warmup);
      return switch (schedule) {
        case CONSTANT, CONSTANT_WITH_WARMUP -> learningRate;
        case LINEAR -> learningRate * Math.max(0, 1 - done);
        case COSINE -> learningRate * Math.max(0, 0.5 * (1 + Math.cos(Math.PI * done)));
        case COSINE_WITH_RESTARTS ->
            done >= 1
                ? 0
                : learningRate * Math.max(0, 0.5 * (1 + Math.cos(Math.PI * (cycles * done % 1))));
        case RANGE_TEST -> learningRate * Math.pow(RANGE, done - 1);
        case POLYNOMIAL ->
            current > total
                ? POLYNOMIAL_END
                : (learningRate - POLYNOMIAL_END) * Math.pow(1 - done, power) + POLYNOMIAL_END;
      };
    }
  }

  public static Optional<Schedule> named(String name) {
    return Arrays.stream(values()).filter(s -> s.name().equalsIgnoreCase(name)).findFirst();
  }

  /** All names, for messages. */
  public static String names() {
    return Arrays.stream(values())
        .map(s -> s.name().toLowerCase(Locale.ROOT))
        .collect(Collectors.joining(", "));
  }
}

package org.loranative.train.tuning;

import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import org.loranative.UserException;

/** The time that a search may take, over all its sessions. */
final class Budget {
  private final double seconds;
  private double spent;
  private long steps;

  /**
   * @param seconds in all
   * @param spent in earlier sessions
   * @param steps that were trained in them
   */
  Budget(double seconds, double spent, long steps) {
    this.seconds = seconds;
    this.spent = spent;
    this.steps = steps;
  }

  /**
   * @param text {@code 90m}, {@code 2h}, {@code 1h30m}
   */
  static Duration parse(String text) {
    try {
      Duration time = Duration.parse("PT" + text.strip().toUpperCase(Locale.ROOT));
      if (time.compareTo(Duration.ZERO) > 0) {
        return time;
      }
    } catch (DateTimeParseException e) {
      // said below
    }
    throw new UserException("--for " + text + ": write a time such as 90m, 2h or 1h30m.");
  }

  /** Notes what was done. */
  void spend(double time, long trained) {
    spent += time;
    steps += trained;
  }

  double spent() {
    return spent;
  }

  long steps() {
    return steps;
  }

  /** Seconds that a step has taken, measurements and loading with it. */
  double secondsPerStep() {
    return spent / Math.max(1, steps);
  }

  /** Steps that there is time for. */
  long affordable() {
    return (long) Math.max(0, (seconds - spent) / secondsPerStep());
  }
}

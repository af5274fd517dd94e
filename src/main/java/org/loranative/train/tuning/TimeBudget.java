package org.loranative.train.tuning;

import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import org.loranative.UserException;

/** The time that a search may take, over all its sessions; the clock of one runs from the start. */
final class TimeBudget {
  /** So far over the time a trial may go on to be of use. */
  private static final double GRACE = 1.1;

  private static final int SECONDS_PER_MINUTE = 60;

  private final double seconds;
  private final double spentBefore;
  private final long start = System.nanoTime();
  private long steps;

  /**
   * @param seconds in all
   * @param spent in earlier sessions
   * @param steps that were trained in them
   */
  TimeBudget(double seconds, double spent, long steps) {
    this.seconds = seconds;
    this.spentBefore = spent;
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

  /** As {@code --for} takes it, in whole minutes. */
  static String written(double seconds) {
    long minutes = (long) Math.ceil(seconds / SECONDS_PER_MINUTE);
    long hours = minutes / SECONDS_PER_MINUTE;
    long rest = minutes % SECONDS_PER_MINUTE;
    return (hours > 0 ? hours + "h" : "") + (rest > 0 || hours == 0 ? rest + "m" : "");
  }

  /** Notes steps that were trained. */
  void trained(long more) {
    steps += more;
  }

  double spent() {
    return spentBefore + (System.nanoTime() - start) / 1e9;
  }

  long steps() {
    return steps;
  }

  /** Whether nothing more is to be trained. */
  boolean isOver() {
    return spent() > GRACE * seconds;
  }

  /** Seconds that a step has taken, measurements and loading with it. */
  double secondsPerStep() {
    return spent() / Math.max(1, steps);
  }

  /** Steps that there is time for. */
  long affordable() {
    return (long) Math.max(0, (seconds - spent()) / secondsPerStep());
  }

  /** What a search of so many more steps is to be given. */
  String needed(long more) {
    return written(spent() + more * secondsPerStep() * 1.2);
  }
}

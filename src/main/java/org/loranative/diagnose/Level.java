package org.loranative.diagnose;

/**
 * A training loss on a logarithmic scale, where a hard record is as far from the others early as
 * late, with the noise about its level.
 */
final class Level {
  /** A part that shows a level. */
  private static final int FEWEST = 8;

  /** Steps that a rise must last: what is over sooner is a spike. */
  private static final int LASTING = 24;

  private static final double PARTS = 8;

  /** Windows are compared at many places and, live, again and again. */
  private static final double TIMES = 1e5;

  private static final double LEAST_SURE = 5;

  final Curve curve;
  final double[] logs;
  final Noise noise;

  /**
   * @param loss finite
   */
  Level(Curve loss) {
    curve = loss;
    double[] v = loss.values();
    double floor = 1e-3 * Math.abs(loss.isEmpty() ? 1 : Statistics.quantile(v, 0.9)) + 1e-12;
    logs = new double[v.length];
    for (int i = 0; i < v.length; i++) {
      logs[i] = Math.log(Math.max(v[i], floor));
    }
    noise = Noise.of(logs);
  }

  int size() {
    return logs.length;
  }

  /** Points that show a level. */
  int part() {
    return (int) Math.max(FEWEST, size() / PARTS);
  }

  /** Points that show a level which lasts. */
  int lasting() {
    int points = (int) Math.ceil(LASTING / Math.max(1, curve.stride()));
    return (int) Math.max(Math.max(3, points), size() / PARTS);
  }

  double mean(int from, int to) {
    return Statistics.mean(logs, from, to);
  }

  /** As a loss. */
  double loss(int from, int to) {
    return Math.exp(mean(from, to));
  }

  /** Standard error of the difference of two parts. */
  double error(int one, int other) {
    return Math.hypot(noise.error(one), noise.error(other));
  }

  /** How many standard errors a difference must exceed to be one. */
  double sure() {
    return Math.max(LEAST_SURE, Statistics.rare(noise.independent(size()), TIMES));
  }

  /** From the lowest level to the last one. */
  record Rise(int at, double low, double now, double errors, boolean isSure) {
    double ratio() {
      return Math.exp(now - low);
    }
  }

  /** How far the last part lies above the lowest before it. */
  Rise rise() {
    int part = lasting();
    int n = size();
    if (n < 2 * part) {
      return new Rise(0, 0, 0, 0, false);
    }
    double now = mean(n - part, n);
    double low = Double.POSITIVE_INFINITY;
    int at = 0;
    for (int i = 0; i + 2 * part <= n; i += Math.max(1, part / 2)) {
      double level = mean(i, i + part);
      if (level < low) {
        low = level;
        at = i;
      }
    }
    double errors = (now - low) / Math.max(1e-9, error(part, part));
    // A spike that is coming down is none.
    boolean stays = mean(n - Math.max(2, part / 3), n) > low + 0.6 * (now - low);
    return new Rise(at, low, now, errors, errors > sure() && stays);
  }

  /** Whether it goes up and down between its parts by more than its noise explains. */
  boolean wanders() {
    int part = part();
    double low = Double.POSITIVE_INFINITY;
    double high = Double.NEGATIVE_INFINITY;
    for (int i = 0; i + part <= size(); i += part) {
      low = Math.min(low, mean(i, i + part));
      high = Math.max(high, mean(i, i + part));
    }
    return high - low > 3.2 * error(part, part);
  }

  /** By how much of itself the loss fell from its first to its last part: an interval. */
  record Fall(double first, double last, double least, double most) {
    /** Share that it fell by. */
    double share() {
      return 1 - last / first;
    }
  }

  /** Ninety-nine of a hundred such intervals hold the truth. */
  Fall fall() {
    int n = size();
    int part = Math.max(2, n / 4);
    double first = mean(0, part);
    double last = mean(n - part, n);
    double margin = Math.max(2.6, Statistics.rare(noise.independent(n), 200)) * error(part, part);
    return new Fall(
        Math.exp(first),
        Math.exp(last),
        1 - Math.exp(last - first + margin),
        1 - Math.exp(last - first - margin));
  }
}

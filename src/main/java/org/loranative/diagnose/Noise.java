package org.loranative.diagnose;

/**
 * How a loss varies about its level. Neighbouring steps may be alike and some may lie far off: the
 * variance is that of all points, hard records included, and a mean is as sure as so many
 * independent points make it (the long-run variance of a first-order autoregression).
 *
 * @param deviation of one point, on the scale of the numbers
 * @param memory how many points count for one independent one, at least 1
 */
record Noise(double deviation, double memory) {
  private static final int SHORTEST = 8;
  private static final int LONGEST = 120;
  private static final double MOST_ALIKE = 0.97;

  /** From the residuals about a straight line in each of some windows; trend does not count. */
  static Noise of(double[] x) {
    int n = x.length;
    int window = Math.min(n, Math.max(SHORTEST, Math.min(LONGEST, n / 4)));
    if (window < 4) {
      return new Noise(0, 1);
    }
    int windows = n / window;
    double[] squares = new double[windows];
    double[] products = new double[windows];
    for (int k = 0; k < windows; k++) {
      double[] r = residuals(x, n - (k + 1) * window, window);
      for (int i = 0; i < window; i++) {
        squares[k] += r[i] * r[i];
        products[k] += i == 0 ? 0 : r[i] * r[i - 1];
      }
    }
    double all = 0;
    double alike = 0;
    for (int k = 0; k < windows; k++) {
      all += squares[k];
      alike += products[k];
    }
    if (all == 0) {
      return new Noise(0, 1);
    }
    // A line through few points takes some of the likeness with it.
    double rho = alike / all * window / (window - 1.0);
    rho = Math.max(0, Math.min(MOST_ALIKE, (rho * window + 2) / (window - 4.0 * Math.max(0, rho))));
    if (rho * Math.sqrt((double) windows * window) < 2) {
      rho = 0; // no more alike than chance makes them
    }
    // What a short series says of its memory is little: some is assumed.
    double memory = Math.max((1 + rho) / (1 - rho), 1 + LONGEST / (double) n);
    double variance = all / (windows * (window - 2.0));
    double taken = Math.min(0.75, 2 * (memory - 1) / window);
    return new Noise(Math.sqrt(variance / (1 - taken)), memory);
  }

  private static double[] residuals(double[] x, int from, int window) {
    double mean = Statistics.mean(x, from, from + window);
    double middle = (window - 1) / 2.0;
    double slope = 0;
    double spread = 0;
    for (int i = 0; i < window; i++) {
      slope += (i - middle) * (x[from + i] - mean);
      spread += (i - middle) * (i - middle);
    }
    slope /= spread;
    double[] r = new double[window];
    for (int i = 0; i < window; i++) {
      r[i] = x[from + i] - mean - slope * (i - middle);
    }
    return r;
  }

  /** Standard error of a mean of so many neighbouring points. */
  double error(int points) {
    return deviation * Math.sqrt(Math.min(1, memory / points));
  }

  /** Independent points among so many. */
  double independent(int points) {
    return points / memory;
  }
}

package org.loranative.diagnose;

/** A loss of the same records each time: validation, or the probe. It varies little by itself. */
final class MeasuredLoss {
  /** Share of the level that it may vary by however still it seems. */
  private static final double STILL = 0.002;

  final Curve curve;
  final double jitter;
  private final double[] v;

  /**
   * @param curve finite
   */
  MeasuredLoss(Curve curve) {
    this.curve = curve;
    this.v = curve.values();
    double level = v.length == 0 ? 0 : Math.abs(Statistics.median(v));
    double own = v.length < 4 ? 0 : Statistics.jitter(v, curve.lowest());
    jitter = Math.max(own, STILL * level);
  }

  int size() {
    return v.length;
  }

  /** Whether it rose from its lowest value for good, and by how much. */
  record Rise(int lowest, double share, boolean isSure, boolean isOnce) {}

  /**
   * @param whole whether no further measurement comes that could tell
   */
  Rise rise(boolean whole) {
    int n = v.length;
    if (n < 3) {
      return new Rise(0, 0, false, false);
    }
    int lowest = curve.lowest();
    double low = v[lowest];
    int after = n - 1 - lowest;
    double share = low <= 0 ? 0 : v[n - 1] / low - 1;
    boolean keeps = after >= 2 && v[n - 2] > low + (v[n - 1] - low) / 4;
    boolean once = after >= 1 && share > 0.1 && v[n - 1] - low > 8 * jitter;
    boolean much = keeps && share > 0.05 && Math.min(v[n - 1], v[n - 2]) - low > 4 * jitter;
    boolean little =
        after >= 3
            && n >= 6
            && share > 0.01
            && Statistics.mean(v, n - 3, n) - low > 6 * jitter
            && Math.min(v[n - 1], Math.min(v[n - 2], v[n - 3])) - low > 3 * jitter;
    return new Rise(lowest, share, much || little || once && whole, once && !keeps);
  }

  /** The share that it fell by at best, where one low measurement is none. */
  double fellAtBest() {
    double low = v[0];
    for (int i = 1; i < v.length; i++) {
      low = Math.min(low, v.length < 6 ? v[i] : (v[i] + v[i - 1]) / 2);
    }
    return v[0] == 0 ? 0 : 1 - low / v[0];
  }

  /** The share that it fell by from first to last; below 0 where it rose. */
  double fell() {
    return v[0] == 0 ? 0 : 1 - end() / v[0];
  }

  /** The smallest share that it could show: three standard deviations of a difference. */
  double resolution() {
    return v.length < 4 ? 0.03 : 3 * Math.sqrt(2) * jitter / Math.max(1e-12, Math.abs(v[0]));
  }

  /** The last level: a mean of two where there are enough. */
  double end() {
    int n = v.length;
    return n >= 6 ? (v[n - 1] + v[n - 2]) / 2 : v[n - 1];
  }
}

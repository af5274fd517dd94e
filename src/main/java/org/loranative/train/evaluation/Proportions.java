package org.loranative.train.evaluation;

import org.apache.commons.statistics.distribution.BinomialDistribution;

/** Shares of records that are right. */
final class Proportions {
  /** What 95 % of a normal distribution lie within. */
  private static final double Z = 1.959963984540054;

  /** Chance that is not taken for a difference. */
  private static final double LEVEL = 0.05;

  /** Records among which those that would tell are looked for, each step so many times more. */
  private static final double MOST = 1e6;

  private static final double STEP = 1.1;

  private Proportions() {}

  /** Wilson's score interval (1927). */
  static Estimate of(int right, int records) {
    double p = (double) right / records;
    double z2 = Z * Z;
    double middle = (2 * right + z2) / (2 * (records + z2));
    double half = Z * Math.sqrt(z2 + 4 * right * (1 - p)) / (2 * (records + z2));
    return new Estimate(p, Math.max(0, middle - half), Math.min(1, middle + half));
  }

  /**
   * What two models made of the same records.
   *
   * @param both records that both have right
   * @param lost right by the first alone
   * @param won right by the second alone
   */
  record Pairs(int both, int lost, int won, int neither) {
    static Pairs of(boolean[] first, boolean[] second) {
      int[] count = new int[4];
      for (int i = 0; i < first.length; i++) {
        count[(first[i] ? 0 : 2) + (second[i] ? 0 : 1)]++;
      }
      return new Pairs(count[0], count[1], count[2], count[3]);
    }

    int records() {
      return both + lost + won + neither;
    }

    /**
     * The second's share less the first's, by Newcombe's square-and-add interval for paired data
     * with a corrected φ (1998, Statistics in Medicine 17:2635, method 10).
     */
    Estimate difference() {
      int n = records();
      Estimate first = Proportions.of(both + lost, n);
      Estimate second = Proportions.of(both + won, n);
      double by = second.value() - first.value();
      double phi = phi();
      return new Estimate(
          by,
          by - reach(second.value() - second.low(), first.high() - first.value(), phi),
          by + reach(second.high() - second.value(), first.value() - first.low(), phi));
    }

    private static double reach(double a, double b, double phi) {
      return Math.sqrt(Math.max(0, a * a - 2 * phi * a * b + b * b));
    }

    private double phi() {
      double margins =
          Math.sqrt((double) (both + lost) * (won + neither) * (both + won) * (lost + neither));
      double product = (double) both * neither - (double) lost * won;
      double corrected = product > 0 ? Math.max(0, product - records() / 2.0) : product;
      return margins == 0 ? 0 : corrected / margins;
    }

    /** McNemar's test, exact: how often chance parts those that changed so unevenly. */
    double p() {
      int changed = lost + won;
      return changed == 0
          ? 1
          : Math.min(
              1,
              2 * BinomialDistribution.of(changed, 0.5).cumulativeProbability(Math.min(lost, won)));
    }

    /** Whether both the interval and the test say that the shares differ. */
    boolean isSure() {
      return p() < LEVEL && difference().isNotZero();
    }

    /** How many records like these would make it sure, about; infinite if no number does. */
    double needed() {
      for (double times = 1; won != lost && times * records() < MOST; times *= STEP) {
        if (times(times).isSure()) {
          return Math.ceil(times * records());
        }
      }
      return Double.POSITIVE_INFINITY;
    }

    private Pairs times(double x) {
      return new Pairs(
          (int) Math.round(x * both),
          (int) Math.round(x * lost),
          (int) Math.round(x * won),
          (int) Math.round(x * neither));
    }
  }
}

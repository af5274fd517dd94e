package org.loranative.train.evaluation;

import java.util.function.DoubleUnaryOperator;

/**
 * A number with its 95 % interval.
 *
 * @param low lower end, −∞ where too few records say nothing of it
 */
public record Estimate(double value, double low, double high) {
  /** Through a rising function; ends that say nothing stay. */
  Estimate map(DoubleUnaryOperator rising) {
    return new Estimate(
        rising.applyAsDouble(value),
        Double.isFinite(low) ? rising.applyAsDouble(low) : low,
        Double.isFinite(high) ? rising.applyAsDouble(high) : high);
  }

  /** Of a number that is never below 0. */
  Estimate notNegative() {
    return map(x -> Math.max(0, x));
  }

  /** How many records would leave 0 out of the interval, if so many give this one. */
  double needed(int records) {
    return Math.ceil(records * Math.pow((high - low) / 2 / value, 2));
  }

  /** Whether the interval leaves 0 out. */
  boolean isNotZero() {
    return low > 0 || high < 0;
  }
}

package org.loranative.train.evaluation;

import java.util.function.DoubleUnaryOperator;

/**
 * A number with its 95 % interval.
 *
 * @param low lower end, −∞ where too few records say nothing of it
 */
public record Estimate(double value, double low, double high) {
  /** Through a rising function. */
  Estimate map(DoubleUnaryOperator rising) {
    return new Estimate(
        rising.applyAsDouble(value), rising.applyAsDouble(low), rising.applyAsDouble(high));
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

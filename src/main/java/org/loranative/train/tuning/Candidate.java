package org.loranative.train.tuning;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;

/**
 * Settings that are tried.
 *
 * @param rate {@code learning_rate}
 * @param rank {@code lora_rank}
 * @param alpha {@code lora_alpha}
 * @param steps of its whole run
 */
record Candidate(double rate, int rank, double alpha, int steps) {
  private static final int MOST_DECIMALS = 5;

  /** As configurations write a number. */
  static String number(double x) {
    BigDecimal decimal = new BigDecimal(x).round(new MathContext(6)).stripTrailingZeros();
    return decimal.scale() > MOST_DECIMALS
        ? decimal.unscaledValue() + "e" + -decimal.scale()
        : decimal.toPlainString();
  }

  /** Two digits are all that a search can tell. */
  static double rounded(double rate) {
    return new BigDecimal(rate).round(new MathContext(2)).doubleValue();
  }

  /** Its run's folder. */
  String folder() {
    return String.format(
        "lr=%s,rank=%d,alpha=%s,steps=%d", number(rate), rank, number(alpha), steps);
  }

  List<String> settings() {
    return List.of(
        "learning_rate=" + number(rate),
        "lora_rank=" + rank,
        "lora_alpha=" + number(alpha),
        "max_steps=" + steps);
  }

  /** Another length of the same. */
  Candidate over(int other) {
    return new Candidate(rate, rank, alpha, other);
  }

  /** Another rate with the same. */
  Candidate withRate(double other) {
    return new Candidate(other, rank, alpha, steps);
  }

  /** For people. */
  @Override
  public String toString() {
    return String.format("rate %s, rank %d, alpha %s", number(rate), rank, number(alpha));
  }
}

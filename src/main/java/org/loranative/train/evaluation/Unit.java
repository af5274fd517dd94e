package org.loranative.train.evaluation;

/** How a number is shown. */
enum Unit {
  NATS("", "%.4f", " nats", 1),
  NATS_BY("", "%+.4f", " nats", 1),
  PERPLEXITY("", "%.4g", "", 1),
  TIMES("× ", "%.4g", "", 1),
  PERCENT("", "%.1f", " %", 100),
  POINTS("", "%+.1f", " points", 100);

  private final String before;
  private final String number;
  private final String after;
  private final double times;

  Unit(String before, String number, String after, double times) {
    this.before = before;
    this.number = number;
    this.after = after;
    this.times = times;
  }

  /** The value, and its interval where there is one: {@code 12.5 % [8.3, 18.4]}. */
  String show(Estimate e) {
    String value = before + String.format(number, times * e.value()) + after;
    return Double.isFinite(e.low()) && Double.isFinite(e.high())
        ? value
            + String.format(" [" + number + ", " + number + "]", times * e.low(), times * e.high())
        : value;
  }
}

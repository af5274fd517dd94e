package org.loranative.config;

import java.util.List;
import java.util.function.Predicate;
import org.loranative.Decimals;

/** Which values of a setting make sense. */
sealed interface Allowed {
  /** Whatever has the right type. */
  Allowed ANYTHING = new Form(text -> true, "");

  Allowed POSITIVE = new Positive();

  boolean holds(Object value);

  /** What a value must be, as in "must be …"; "" for anything. */
  String expected();

  /** One of some words. */
  record OneOf(List<String> words) implements Allowed {
    @Override
    public boolean holds(Object value) {
      return words.contains(value);
    }

    @Override
    public String expected() {
      return "one of " + String.join(", ", words);
    }
  }

  /** A number from {@code low} to {@code high}. */
  record Between(double low, double high) implements Allowed {
    @Override
    public boolean holds(Object value) {
      double number = ((Number) value).doubleValue();
      return number >= low && number <= high;
    }

    @Override
    public String expected() {
      return "between " + Decimals.plain(low) + " and " + Decimals.plain(high);
    }

    /** The same as "from … to …". */
    String span() {
      return "from " + Decimals.plain(low) + (isOpen() ? "" : " to " + Decimals.plain(high));
    }

    /** Whether {@code high} is no more than what a whole number can hold. */
    boolean isOpen() {
      return high == Integer.MAX_VALUE;
    }
  }

  /** Minus one, which stands for something else than a number, or what {@code range} holds. */
  record MinusOneOr(Between range) implements Allowed {
    @Override
    public boolean holds(Object value) {
      return ((Number) value).doubleValue() == -1 || range.holds(value);
    }

    @Override
    public String expected() {
      return "-1 or " + range.expected();
    }
  }

  /** A finite number above 0. */
  record Positive() implements Allowed {
    @Override
    public boolean holds(Object value) {
      double number = ((Number) value).doubleValue();
      return number > 0 && !Double.isInfinite(number);
    }

    @Override
    public String expected() {
      return "greater than 0";
    }
  }

  /**
   * Text of a certain form.
   *
   * @param pattern the same as a regular expression, where there is one; else ""
   */
  record Form(Predicate<String> test, String expected, String pattern) implements Allowed {
    Form(Predicate<String> test, String expected) {
      this(test, expected, "");
    }

    static Form matching(String pattern, String expected) {
      return new Form(text -> text.matches(pattern), expected, pattern);
    }

    @Override
    public boolean holds(Object value) {
      return !(value instanceof String text) || test.test(text);
    }
  }

  static Allowed between(double low, double high) {
    return new Between(low, high);
  }

  static Allowed minusOneOrBetween(double low, double high) {
    return new MinusOneOr(new Between(low, high));
  }

  /** A whole number from {@code low} on. */
  static Allowed from(int low) {
    return new Between(low, Integer.MAX_VALUE);
  }
}

package org.loranative.config;

import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.format.DateTimeParseException;
import java.util.Optional;

/** Dates as settings give them: 2026-03-31, or one with a time behind a T. */
final class Day {
  private Day() {}

  /** Empty for "". */
  static Optional<LocalDateTime> parse(String text) {
    if (text.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        text.contains("T") ? LocalDateTime.parse(text) : LocalDate.parse(text).atStartOfDay());
  }

  /** Whether {@code text} is such a date, or "". */
  static boolean isOne(String text) {
    try {
      parse(text);
      return true;
    } catch (DateTimeParseException e) {
      return false;
    }
  }
}

package org.loranative.diagnose;

import java.util.Comparator;
import java.util.List;

/**
 * Something that curves show.
 *
 * @param step where it begins
 * @param evidence what was seen, with numbers
 * @param advice which setting to change
 */
public record Finding(Kind kind, long step, String evidence, String advice) {

  /** How bad it is. */
  public enum Severity {
    GOOD,
    NOTE,
    WARNING,
    ERROR
  }

  /** What can be found. */
  public enum Kind {
    NOT_FINITE(Severity.ERROR, "NaN or infinite"),
    UNSTABLE(Severity.ERROR, "oscillation or divergence"),
    NO_DESCENT(Severity.ERROR, "high loss that does not fall"),
    DEAD_ADAPTERS(Severity.ERROR, "adapters that learn nothing"),
    FLAT(Severity.WARNING, "flat loss"),
    OVERFITTING(Severity.WARNING, "overfitting"),
    EXPLODING_GRADIENTS(Severity.WARNING, "exploding gradients"),
    VANISHING_UPDATES(Severity.WARNING, "vanishing updates"),
    SCHEDULE(Severity.WARNING, "learning-rate schedule"),
    THROUGHPUT_DROP(Severity.NOTE, "throughput drop"),
    THERMAL_THROTTLING(Severity.NOTE, "thermal throttling"),
    MEMORY_TAKEN(Severity.NOTE, "memory taken by others"),
    PLATEAU(Severity.GOOD, "descent, then plateau"),
    DESCENT(Severity.GOOD, "still falling"),
    TOO_SHORT(Severity.NOTE, "too short to judge");

    public final Severity severity;
    public final String title;

    Kind(Severity severity, String title) {
      this.severity = severity;
      this.title = title;
    }
  }

  /** One line for the console. */
  @Override
  public String toString() {
    return String.format("%s (from step %d): %s. %s", kind.title, step, evidence, advice);
  }

  /** The worst of findings, which names the run. */
  public static Kind verdict(List<Finding> findings) {
    return findings.stream()
        .map(Finding::kind)
        .max(Comparator.comparing((Kind k) -> k.severity).thenComparing(Comparator.reverseOrder()))
        .orElse(Kind.TOO_SHORT);
  }
}

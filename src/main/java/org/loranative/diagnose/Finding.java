package org.loranative.diagnose;

import java.util.Comparator;
import java.util.List;

/**
 * Something that curves show.
 *
 * @param symptom what was found
 * @param step where it begins
 * @param evidence what was seen, with numbers
 * @param advice which setting to change
 */
public record Finding(Symptom symptom, long step, String evidence, String advice) {

  /** How bad it is. */
  public enum Severity {
    GOOD,
    NOTE,
    WARNING,
    ERROR
  }

  /** What can be found. */
  public enum Symptom {
    NOT_FINITE(Severity.ERROR, "NaN or infinite"),
    /** Beyond doubt: a run may go back for it. */
    UNSTABLE(Severity.ERROR, "divergence"),
    NO_LABELS(Severity.ERROR, "nothing to learn from"),
    UNTRAINED_BASE(Severity.ERROR, "a base that looks untrained"),
    NO_DESCENT(Severity.ERROR, "high loss that does not fall"),
    DEAD_ADAPTERS(Severity.ERROR, "adapters that learn nothing"),
    CLIMB(Severity.WARNING, "climbing loss"),
    OVERFITTING(Severity.WARNING, "overfitting"),
    VALIDATION_LEAK(Severity.WARNING, "validation that is trained on"),
    MEMORIZED(Severity.WARNING, "learnt by heart"),
    UNRELATED_DATA(Severity.WARNING, "data that do not belong together"),
    FREQUENCIES_ALONE(Severity.WARNING, "nothing learnt but how often tokens come"),
    FEW_LABELS(Severity.WARNING, "little to learn from"),
    FLAT(Severity.WARNING, "flat loss"),
    EXPLODING_LAYERS(Severity.WARNING, "layers that outgrow their weights"),
    EXPLODING_GRADIENTS(Severity.WARNING, "exploding gradients"),
    VANISHING_UPDATES(Severity.WARNING, "vanishing updates"),
    SCHEDULE(Severity.WARNING, "learning-rate schedule"),
    REPEATED_RECORDS(Severity.NOTE, "records that repeat"),
    THROUGHPUT_DROP(Severity.NOTE, "throughput drop"),
    THERMAL_THROTTLING(Severity.NOTE, "thermal throttling"),
    MEMORY_TAKEN(Severity.NOTE, "memory taken by others"),
    RANK_LARGE(Severity.NOTE, "a rank larger than is used"),
    RANK_FULL(Severity.NOTE, "a rank that is used up"),
    CANNOT_TELL(Severity.NOTE, "cannot tell"),
    PLATEAU(Severity.GOOD, "descent, then plateau"),
    DESCENT(Severity.GOOD, "still falling"),
    SPIKES(Severity.GOOD, "spikes that are over");

    public final Severity severity;
    public final String title;

    Symptom(Severity severity, String title) {
      this.severity = severity;
      this.title = title;
    }
  }

  /** One line for the console. */
  @Override
  public String toString() {
    return String.format("%s (from step %d): %s. %s", symptom.title, step, evidence, advice);
  }

  /** The worst of findings, which names the run. */
  public static Symptom verdict(List<Finding> findings) {
    return findings.stream()
        .map(Finding::symptom)
        .max(
            Comparator.comparing((Symptom s) -> s.severity)
                .thenComparing(Comparator.reverseOrder()))
        .orElse(Symptom.CANNOT_TELL);
  }
}

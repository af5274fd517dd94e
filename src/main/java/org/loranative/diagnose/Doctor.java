package org.loranative.diagnose;

import java.util.ArrayList;
import java.util.List;

/** Examines a run, whole or as far as it has come. */
public final class Doctor {
  private static final List<Check> CHECKS =
      List.of(
          new NotFinite(),
          new Unstable(),
          new NoDescent(),
          new DeadAdapters(),
          new Flat(),
          new Overfitting(),
          new ExplodingGradients(),
          new VanishingUpdates(),
          new ScheduleMistake(),
          new ThroughputDrop(),
          new Heat(),
          new MemoryTaken());

  private Doctor() {}

  /**
   * What there is to say, the worst first; with nothing wrong, how the loss goes. A finding may
   * make others redundant: a run that diverged is not called flat as well.
   */
  public static List<Finding> examine(RunCurves run) {
    List<Finding> findings = new ArrayList<>();
    for (Check check : CHECKS) {
      check.find(run).ifPresent(findings::add);
    }
    if (findings.stream().anyMatch(f -> f.kind() == Finding.Kind.UNSTABLE)) {
      findings.removeIf(f -> f.kind() == Finding.Kind.NO_DESCENT);
    }
    if (findings.stream().anyMatch(f -> f.kind() == Finding.Kind.SCHEDULE)) {
      findings.removeIf(f -> f.kind() == Finding.Kind.FLAT); // which that explains
    }
    boolean broken = findings.stream().anyMatch(f -> f.kind().severity == Finding.Severity.ERROR);
    if (broken) {
      findings.removeIf(
          f ->
              f.kind() == Finding.Kind.FLAT
                  || f.kind() == Finding.Kind.OVERFITTING
                  || f.kind() == Finding.Kind.VANISHING_UPDATES);
    }
    if (findings.stream().allMatch(f -> f.kind().severity == Finding.Severity.NOTE)) {
      findings.add(new Course().of(run));
    }
    findings.sort((a, b) -> b.kind().severity.compareTo(a.kind().severity));
    return List.copyOf(findings);
  }
}

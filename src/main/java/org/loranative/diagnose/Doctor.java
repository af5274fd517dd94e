package org.loranative.diagnose;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.loranative.diagnose.Finding.Kind;

/** Examines a run, whole or as far as it has come. */
public final class Doctor {
  private static final List<Check> CHECKS =
      List.of(
          new NotFiniteValues(),
          new Divergence(),
          new UntrainedBase(),
          new Labels(),
          new NoDescent(),
          new DeadAdapters(),
          new Climb(),
          new Overfitting(),
          new Memorized(),
          new UnrelatedData(),
          new FrequenciesAlone(),
          new RepeatedRecords(),
          new Flat(),
          new ExplodingLayers(),
          new RankUse(),
          new ExplodingGradients(),
          new VanishingUpdates(),
          new ScheduleMistake(),
          new ThroughputDrop(),
          new Heat(),
          new MemoryTaken());

  /** What a finding explains, so that it is not said beside it. */
  private static final Map<Kind, Set<Kind>> EXPLAINS = new EnumMap<>(Kind.class);

  static {
    Set<Kind> course =
        EnumSet.of(
            Kind.CLIMB,
            Kind.FLAT,
            Kind.OVERFITTING,
            Kind.NO_DESCENT,
            Kind.FREQUENCIES_ALONE,
            Kind.RANK_LARGE,
            Kind.RANK_FULL,
            Kind.CANNOT_TELL);
    EXPLAINS.put(Kind.NOT_FINITE, course);
    EXPLAINS.put(Kind.UNSTABLE, course);
    EXPLAINS.put(Kind.NO_LABELS, EnumSet.of(Kind.FLAT, Kind.VANISHING_UPDATES, Kind.FEW_LABELS));
    EXPLAINS.put(
        Kind.UNTRAINED_BASE, EnumSet.of(Kind.NO_DESCENT, Kind.FLAT, Kind.FREQUENCIES_ALONE));
    EXPLAINS.put(Kind.NO_DESCENT, EnumSet.of(Kind.FLAT, Kind.FREQUENCIES_ALONE));
    EXPLAINS.put(Kind.DEAD_ADAPTERS, EnumSet.of(Kind.FLAT, Kind.VANISHING_UPDATES));
    EXPLAINS.put(Kind.CLIMB, EnumSet.of(Kind.OVERFITTING, Kind.FLAT, Kind.CANNOT_TELL));
    EXPLAINS.put(Kind.OVERFITTING, EnumSet.of(Kind.FLAT, Kind.CANNOT_TELL));
    EXPLAINS.put(
        Kind.SCHEDULE, EnumSet.of(Kind.FLAT, Kind.VANISHING_UPDATES, Kind.FREQUENCIES_ALONE));
    EXPLAINS.put(Kind.EXPLODING_LAYERS, EnumSet.of(Kind.RANK_LARGE, Kind.RANK_FULL));
    EXPLAINS.put(Kind.FLAT, EnumSet.of(Kind.VANISHING_UPDATES));
  }

  private Doctor() {}

  /** Whether one finding, where it is made, takes the place of another. */
  public static boolean explains(Kind one, Kind other) {
    return EXPLAINS.getOrDefault(one, Set.of()).contains(other);
  }

  /**
   * What there is to say, the worst first; with nothing wrong, how the loss goes. A finding may
   * make others redundant: a run that diverged is not called flat as well.
   */
  public static List<Finding> examine(RunCurves run) {
    List<Finding> findings = new ArrayList<>();
    for (Check check : CHECKS) {
      check.find(run).ifPresent(findings::add);
    }
    Set<Kind> explained = EnumSet.noneOf(Kind.class);
    findings.forEach(f -> explained.addAll(EXPLAINS.getOrDefault(f.kind(), Set.of())));
    findings.removeIf(f -> explained.contains(f.kind()));
    boolean wrong =
        findings.stream()
            .anyMatch(
                f ->
                    f.kind().severity.compareTo(Finding.Severity.WARNING) >= 0
                        || f.kind() == Kind.CANNOT_TELL);
    if (!wrong) {
      findings.add(new Course().of(run));
      Spikes.of(run).ifPresent(findings::add);
    }
    findings.sort((a, b) -> b.kind().severity.compareTo(a.kind().severity));
    return List.copyOf(findings);
  }
}

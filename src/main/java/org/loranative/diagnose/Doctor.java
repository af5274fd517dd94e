package org.loranative.diagnose;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.loranative.diagnose.Finding.Symptom;

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
  private static final Map<Symptom, Set<Symptom>> EXPLAINS = new EnumMap<>(Symptom.class);

  static {
    Set<Symptom> course =
        EnumSet.of(
            Symptom.CLIMB,
            Symptom.FLAT,
            Symptom.OVERFITTING,
            Symptom.NO_DESCENT,
            Symptom.FREQUENCIES_ALONE,
            Symptom.RANK_LARGE,
            Symptom.RANK_FULL,
            Symptom.CANNOT_TELL);
    EXPLAINS.put(Symptom.NOT_FINITE, course);
    EXPLAINS.put(Symptom.UNSTABLE, course);
    EXPLAINS.put(
        Symptom.NO_LABELS, EnumSet.of(Symptom.FLAT, Symptom.VANISHING_UPDATES, Symptom.FEW_LABELS));
    EXPLAINS.put(
        Symptom.UNTRAINED_BASE,
        EnumSet.of(Symptom.NO_DESCENT, Symptom.FLAT, Symptom.FREQUENCIES_ALONE));
    EXPLAINS.put(Symptom.NO_DESCENT, EnumSet.of(Symptom.FLAT, Symptom.FREQUENCIES_ALONE));
    EXPLAINS.put(Symptom.DEAD_ADAPTERS, EnumSet.of(Symptom.FLAT, Symptom.VANISHING_UPDATES));
    EXPLAINS.put(Symptom.CLIMB, EnumSet.of(Symptom.OVERFITTING, Symptom.FLAT, Symptom.CANNOT_TELL));
    EXPLAINS.put(Symptom.OVERFITTING, EnumSet.of(Symptom.FLAT, Symptom.CANNOT_TELL));
    EXPLAINS.put(
        Symptom.SCHEDULE,
        EnumSet.of(Symptom.FLAT, Symptom.VANISHING_UPDATES, Symptom.FREQUENCIES_ALONE));
    EXPLAINS.put(Symptom.EXPLODING_LAYERS, EnumSet.of(Symptom.RANK_LARGE, Symptom.RANK_FULL));
    EXPLAINS.put(Symptom.FLAT, EnumSet.of(Symptom.VANISHING_UPDATES));
  }

  private Doctor() {}

  /** Whether one finding, where it is made, takes the place of another. */
  public static boolean explains(Symptom one, Symptom other) {
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
    Set<Symptom> explained = EnumSet.noneOf(Symptom.class);
    findings.forEach(f -> explained.addAll(EXPLAINS.getOrDefault(f.symptom(), Set.of())));
    findings.removeIf(f -> explained.contains(f.symptom()));
    boolean wrong =
        findings.stream()
            .anyMatch(
                f ->
                    f.symptom().severity.compareTo(Finding.Severity.WARNING) >= 0
                        || f.symptom() == Symptom.CANNOT_TELL);
    if (!wrong) {
      findings.add(new Course().of(run));
      Spikes.of(run).ifPresent(findings::add);
    }
    findings.sort((a, b) -> b.symptom().severity.compareTo(a.symptom().severity));
    return List.copyOf(findings);
  }
}

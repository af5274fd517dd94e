package org.loranative.diagnose;

import java.util.Optional;

/** Memory of the card that other processes took while the run went on. */
final class MemoryTaken implements Check {
  private static final double LEAST_GB = 0.5;

  @Override
  public Optional<Finding> find(RunCurves run) {
    Curve others = run.sensor("gpu/memory_of_others_gb");
    for (int i = 1; i < others.size(); i++) {
      double taken = others.values()[i] - others.values()[0];
      if (taken >= LEAST_GB) {
        return Optional.of(
            new Finding(
                Finding.Symptom.MEMORY_TAKEN,
                others.steps()[i],
                String.format("another process took %.1f GB of the card's memory", taken),
                "The run keeps its own, but shares the card's time; a run that starts now finds"
                    + " less"));
      }
    }
    return Optional.empty();
  }
}

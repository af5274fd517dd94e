package org.loranative.diagnose;

import java.util.Optional;

/** Layers whose B is still zero: nothing they were trained on changed them. */
final class DeadAdapters implements Check {
  @Override
  public Optional<Finding> find(RunCurves run) {
    Curve dead = run.deadLayers().finite();
    for (int i = 0; i < dead.size(); i++) {
      if (dead.values()[i] > 0 && dead.steps()[i] >= 2 && dead.values()[dead.size() - 1] > 0) {
        return Optional.of(
            new Finding(
                Finding.Kind.DEAD_ADAPTERS,
                dead.steps()[i],
                String.format("B of %.0f adapted layers is still zero", dead.values()[i]),
                "Check that learning_rate is above 0 (also those of lora_targets) and that"
                    + " lora_targets names layers that the loss depends on"));
      }
    }
    return Optional.empty();
  }
}

package org.loranative.optim;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.io.Numbers;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;
import org.loranative.lora.Slot;

/** How gradients move the adapters: what it keeps between steps, and the ops that a step is. */
public interface Optimizer {
  Hyperparameters hyperparameters();

  /** What it keeps beside parameters and gradients, in the order in which it lies in memory. */
  List<Slot> slots(Adapters adapters);

  /**
   * Appends a step. It must multiply gradients by the clip's factor, zero each after reading it,
   * and change nothing else where the clip's norm is not finite.
   */
  void append(Update update);

  /** The parameters to evaluate and export, where they are others than those that train. */
  default Optional<Numbers> evaluated(AdapterState state) {
    return Optional.empty();
  }

  /** Numbers of its own that are worth a curve, by name. */
  default Map<String, Double> scalars(AdapterState state) {
    return Map.of();
  }
}

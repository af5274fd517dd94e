package org.loranative.optim;

import java.util.List;
import org.loranative.graph.ops.Lion;
import org.loranative.io.DType;
import org.loranative.lora.Adapters;
import org.loranative.lora.Slot;

/** Lion (Chen et al. 2023): half of AdamW's state. */
record LionOptimizer(Hyperparameters hyperparameters) implements Optimizer {
  static final String NAME = "lion";

  @Override
  public List<Slot> slots(Adapters adapters) {
    return List.of(Slot.zeros("exp_avg", DType.F32, adapters.floats()));
  }

  @Override
  public void append(Update u) {
    Hyperparameters h = hyperparameters;
    u.ranges()
        .forEach(
            range ->
                Lion.of(
                    u.graph(),
                    u.params(),
                    u.grads(),
                    u.value(slots(u.adapters()).get(0)),
                    u.clip(),
                    range,
                    new Lion.Setting(h.beta1(), h.beta2(), h.weightDecay())));
  }
}

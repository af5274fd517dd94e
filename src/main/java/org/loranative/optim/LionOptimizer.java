package org.loranative.optim;

import java.util.List;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Lion;
import org.loranative.graph.ops.ParameterRange;
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
    Lion.Setting setting = new Lion.Setting(h.beta1(), h.beta2(), h.weightDecay());
    Value mean = u.slots(this).get(0);
    for (ParameterRange range : u.ranges()) {
      Lion.of(u.graph(), u.params(), u.grads(), mean, u.clip(), range, setting);
    }
  }
}

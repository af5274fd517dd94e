package org.loranative.optim;

import java.util.List;
import org.loranative.graph.Value;
import org.loranative.graph.ops.AdamW;
import org.loranative.graph.ops.ParameterRange;
import org.loranative.io.DType;
import org.loranative.lora.Adapters;
import org.loranative.lora.Slot;

/** AdamW (Loshchilov and Hutter 2019); its state bears the names of torch's. */
record AdamWOptimizer(Hyperparameters hyperparameters) implements Optimizer {
  static final String NAME = "adamw";

  @Override
  public List<Slot> slots(Adapters adapters) {
    return List.of(
        Slot.zeros("exp_avg", DType.F32, adapters.floats()),
        Slot.zeros("exp_avg_sq", DType.F32, adapters.floats()));
  }

  @Override
  public void append(Update u) {
    List<Value> v = u.slots(this);
    for (ParameterRange range : u.ranges()) {
      AdamW.of(
          u.graph(),
          u.params(),
          u.grads(),
          v.get(0),
          v.get(1),
          u.clip(),
          range,
          setting(hyperparameters));
    }
  }

  static AdamW.Setting setting(Hyperparameters h) {
    return new AdamW.Setting(h.beta1(), h.beta2(), h.epsilon(), h.weightDecay());
  }
}

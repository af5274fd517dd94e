package org.loranative.optim;

import java.util.List;
import java.util.Optional;
import org.loranative.graph.Value;
import org.loranative.graph.ops.ParameterRange;
import org.loranative.graph.ops.ScheduleFreeAdamW;
import org.loranative.graph.ops.ScheduleFreeWeight;
import org.loranative.io.DType;
import org.loranative.io.Numbers;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;
import org.loranative.lora.Slot;

/**
 * Schedule-free AdamW (Defazio et al. 2024). The parameters are y, where gradients are taken; x,
 * the average of z, is what is evaluated and exported, and follows from y and z.
 */
record ScheduleFreeOptimizer(Hyperparameters hyperparameters) implements Optimizer {
  static final String NAME = "schedule_free_adamw";
  private static final String Z = "z";

  @Override
  public List<Slot> slots(Adapters adapters) {
    return List.of(
        Slot.ofParameters(Z, adapters.floats()),
        Slot.zeros("exp_avg_sq", DType.F32, adapters.floats()),
        Slot.of("average", 0, 0, 0));
  }

  @Override
  public void append(Update u) {
    List<Value> v = u.slots(this);
    ScheduleFreeWeight.of(u.graph(), v.get(2), u.clip());
    for (ParameterRange range : u.ranges()) {
      ScheduleFreeAdamW.of(
          u.graph(),
          u.params(),
          u.grads(),
          v.get(0),
          v.get(1),
          v.get(2),
          u.clip(),
          range,
          AdamWOptimizer.setting(hyperparameters));
    }
  }

  @Override
  public Optional<Numbers> evaluated(AdapterState state) {
    return Optional.of(
        new Average(
            state.numbers(AdapterState.PARAMS), state.numbers(Z), 1 - 1 / hyperparameters.beta1()));
  }

  /** x of y and z, number by number. */
  private record Average(Numbers y, Numbers z, float weight) implements Numbers {
    @Override
    public long size() {
      return y.size();
    }

    @Override
    public void read(long from, float[] to, int at, int count) {
      y.read(from, to, at, count);
      float[] own = new float[count];
      z.read(from, own, 0, count);
      for (int i = 0; i < count; i++) {
        to[at + i] += weight * (own[i] - to[at + i]);
      }
    }
  }
}

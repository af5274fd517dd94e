package org.loranative.optim;

import java.util.List;
import java.util.Map;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Prodigy;
import org.loranative.graph.ops.ProdigyMoments;
import org.loranative.io.DType;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;
import org.loranative.lora.Slot;

/**
 * Prodigy (Mishchenko and Defazio 2023): AdamW whose learning rate is multiplied by an estimate d
 * of the distance to the solution, one for all adapters.
 */
record ProdigyOptimizer(Hyperparameters hyperparameters) implements Optimizer {
  static final String NAME = "prodigy";
  private static final String DISTANCE = "d";

  /** The estimate at the start. */
  private static final float FIRST = 1e-6f;

  @Override
  public List<Slot> slots(Adapters adapters) {
    long n = adapters.floats();
    return List.of(
        Slot.ofParameters("p0", n),
        Slot.zeros("exp_avg", DType.F32, n),
        Slot.zeros("exp_avg_sq", DType.F32, n),
        Slot.zeros("s", DType.F32, n),
        Slot.of(DISTANCE, FIRST, 0, 0));
  }

  @Override
  public void append(Update u) {
    if (u.ranges().size() > 1 || u.ranges().stream().anyMatch(r -> r.rate() != 1)) {
      throw new IllegalArgumentException("settings have been checked: one rate for all numbers");
    }
    Hyperparameters h = hyperparameters;
    List<Value> v = u.slots(this);
    ProdigyMoments.State state =
        new ProdigyMoments.State(v.get(0), v.get(1), v.get(2), v.get(3), v.get(4));
    float beta3 = (float) Math.sqrt(h.beta2());
    ProdigyMoments.of(
        u.graph(),
        u.params(),
        u.grads(),
        state,
        u.clip(),
        new ProdigyMoments.Setting(h.beta1(), h.beta2(), beta3, FIRST, h.warmup()));
    Prodigy.of(u.graph(), u.params(), state, u.clip(), h.epsilon(), h.weightDecay());
  }

  @Override
  public Map<String, Double> scalars(AdapterState state) {
    return Map.of(DISTANCE, (double) state.numbers(DISTANCE).all()[0]);
  }
}

package org.loranative.optim;

import java.util.ArrayList;
import java.util.List;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Came;
import org.loranative.graph.ops.FactoredMeans;
import org.loranative.graph.ops.MatrixRange;
import org.loranative.io.DType;
import org.loranative.lora.Adapters;
import org.loranative.lora.Slot;

/**
 * CAME (Luo et al. 2023): Adafactor's state, and a mean of updates that it trusts as they agree.
 */
record CameOptimizer(Hyperparameters hyperparameters) implements Optimizer {
  static final String NAME = "came";

  /** Decay of the updates' distance from their mean. */
  private static final float BETA3 = 0.9999f;

  @Override
  public List<Slot> slots(Adapters adapters) {
    FactoredMatrices matrices = new FactoredMatrices(adapters);
    List<Slot> slots = new ArrayList<>();
    slots.add(Slot.zeros("exp_avg", DType.F32, adapters.floats()));
    slots.addAll(matrices.means("exp_avg_sq_row", "exp_avg_sq_col"));
    slots.addAll(matrices.means("exp_avg_res_row", "exp_avg_res_col"));
    slots.add(matrices.table());
    return slots;
  }

  @Override
  public void append(Update u) {
    Hyperparameters h = hyperparameters;
    Came.Setting setting = new Came.Setting(h.beta1(), h.beta2(), BETA3, h.weightDecay());
    List<Value> v = u.slots(this);
    Came.FactoredMoments moments =
        new Came.FactoredMoments(
            v.get(0), new FactoredMeans(v.get(1), v.get(2)), new FactoredMeans(v.get(3), v.get(4)));
    for (MatrixRange range : new FactoredMatrices(u.adapters()).ranges(u, v.get(5))) {
      Came.of(u.graph(), u.params(), u.grads(), moments, u.clip(), range, setting);
    }
  }
}

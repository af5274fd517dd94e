package org.loranative.optim;

import java.util.ArrayList;
import java.util.List;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Adafactor;
import org.loranative.graph.ops.FactoredMeans;
import org.loranative.graph.ops.MatrixRange;
import org.loranative.lora.Adapters;
import org.loranative.lora.Slot;

/**
 * Adafactor (Shazeer and Stern 2018) with a learning rate from outside and without momentum: next
 * to no state.
 */
record AdafactorOptimizer(Hyperparameters hyperparameters) implements Optimizer {
  static final String NAME = "adafactor";

  @Override
  public List<Slot> slots(Adapters adapters) {
    FactoredMatrices matrices = new FactoredMatrices(adapters);
    List<Slot> slots = new ArrayList<>(matrices.means("exp_avg_sq_row", "exp_avg_sq_col"));
    slots.add(matrices.table());
    return slots;
  }

  @Override
  public void append(Update u) {
    List<Value> v = u.slots(this);
    FactoredMeans squares = new FactoredMeans(v.get(0), v.get(1));
    for (MatrixRange range : new FactoredMatrices(u.adapters()).ranges(u, v.get(2))) {
      Adafactor.of(
          u.graph(),
          u.params(),
          u.grads(),
          squares,
          u.clip(),
          range,
          hyperparameters.weightDecay());
    }
  }
}

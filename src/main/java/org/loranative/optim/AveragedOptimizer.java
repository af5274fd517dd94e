package org.loranative.optim;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Ema;
import org.loranative.io.Numbers;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;
import org.loranative.lora.Slot;

/**
 * An optimizer beside whose parameters their exponential average over steps is kept, which is what
 * is evaluated and exported. It warms up as diffusers' EMAModel does.
 */
record AveragedOptimizer(Optimizer trained, double decay) implements Optimizer {
  private static final String AVERAGE = "ema";

  @Override
  public Hyperparameters hyperparameters() {
    return trained.hyperparameters();
  }

  /** Those of the optimizer, and the average behind them. */
  @Override
  public List<Slot> slots(Adapters adapters) {
    return Stream.concat(
            trained.slots(adapters).stream(),
            Stream.of(Slot.ofParameters(AVERAGE, adapters.floats())))
        .toList();
  }

  @Override
  public void append(Update u) {
    trained.append(u);
    List<Value> slots = u.slots(this);
    Value average = slots.get(slots.size() - 1);
    Ema.of(u.graph(), u.params(), average, u.clip(), (float) (1 - decay));
  }

  @Override
  public Optional<Numbers> evaluated(AdapterState state) {
    return Optional.of(state.numbers(AVERAGE));
  }

  @Override
  public Map<String, Double> scalars(AdapterState state) {
    return trained.scalars(state);
  }
}

package org.loranative.optim;

import java.util.Optional;
import org.loranative.io.Numbers;
import org.loranative.lora.AdapterState;

/**
 * While it is open, the adapters are what the optimizer evaluates; then they are again, to the bit,
 * what it trains. Meanwhile these wait where gradients are, which between steps are zeros.
 */
public final class EvaluatedState implements AutoCloseable {
  private final AdapterState state;
  private final boolean others;

  public EvaluatedState(Optimizer optimizer, AdapterState state) {
    this.state = state;
    Optional<Numbers> evaluated = optimizer.evaluated(state);
    others = evaluated.isPresent();
    if (others) {
      state.copy(AdapterState.GRADS, AdapterState.PARAMS);
      // Each is made of what stands in its own place alone, so they can be overwritten in order.
      state.write(AdapterState.PARAMS, evaluated.get());
    }
  }

  /** What is evaluated, for export. */
  public static Numbers params(Optimizer optimizer, AdapterState state) {
    return optimizer.evaluated(state).orElseGet(() -> state.numbers(AdapterState.PARAMS));
  }

  @Override
  public void close() {
    if (others) {
      state.copy(AdapterState.PARAMS, AdapterState.GRADS);
      state.clear(AdapterState.GRADS);
    }
  }
}

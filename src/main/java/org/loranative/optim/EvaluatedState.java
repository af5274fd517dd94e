package org.loranative.optim;

import java.util.Optional;
import org.loranative.lora.AdapterState;

/**
 * While it is open, the adapters are what the optimizer evaluates; then they are again, to the bit,
 * what it trains.
 */
public final class EvaluatedState implements AutoCloseable {
  private final AdapterState state;
  private final Optional<float[]> trained;

  public EvaluatedState(Optimizer optimizer, AdapterState state) {
    this.state = state;
    Optional<float[]> evaluated = optimizer.evaluated(state);
    trained = evaluated.map(x -> state.read(AdapterState.PARAMS));
    evaluated.ifPresent(x -> state.write(AdapterState.PARAMS, x));
  }

  /** What is evaluated, for export. */
  public static float[] params(Optimizer optimizer, AdapterState state) {
    return optimizer.evaluated(state).orElseGet(() -> state.read(AdapterState.PARAMS));
  }

  @Override
  public void close() {
    trained.ifPresent(y -> state.write(AdapterState.PARAMS, y));
  }
}

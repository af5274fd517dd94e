package org.loranative.testing;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.StepState;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.io.Numbers;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;
import org.loranative.model.Placement;
import org.loranative.model.Session;
import org.loranative.model.weights.LoadedWeights;
import org.loranative.model.weights.Weights;
import org.loranative.optim.Hyperparameters;
import org.loranative.optim.Optimizer;
import org.loranative.optim.Optimizers;
import org.loranative.optim.Update;

/** A model with its weights and adapters in a device's memory: runs graphs of it by name. */
public final class PlacedModel implements AutoCloseable {
  private static final Optimizer OPTIMIZER =
      Optimizers.named("adamw", new Hyperparameters(0.9f, 0.999f, 1e-8f, 0.01f));

  private final Device device;
  private final Adapters adapters;
  private final DType compute;
  private final AdapterState state;
  private final LoadedWeights loaded;
  private final Placement placement;

  /** Times that gradients are kept. */
  public float lossScale = 1;

  /**
   * @param needed every WEIGHT of it is loaded
   */
  public PlacedModel(
      Device device,
      Weights weights,
      Adapters adapters,
      Map<String, float[]> constants,
      Graph needed) {
    this.device = device;
    this.adapters = adapters;
    this.compute = compute(needed);
    this.state = new AdapterState(device, adapters, compute, OPTIMIZER.slots(adapters));
    this.loaded = weights.load(needed.named(), device);
    this.placement = new Placement(device, loaded, state, constants);
  }

  /** In which products read adapters: that of the copies in 16 bits, if there are any. */
  private static DType compute(Graph graph) {
    return graph.named().values().stream()
        .filter(v -> v.kind() == Kind.STATE && v.name().endsWith(".rounded"))
        .map(Value::dtype)
        .findFirst()
        .orElse(DType.F32);
  }

  public Placement placement() {
    return placement;
  }

  public AdapterState state() {
    return state;
  }

  /**
   * Runs a graph once; returns its results by name.
   *
   * @param inputs int[] or float[] by name
   * @param denominator what the loss is divided by
   */
  public Map<String, float[]> run(Graph graph, Map<String, ?> inputs, int step, long denominator) {
    state.writeStep(new StepState(1, step, 0, 1e-2, 0.9, 0.999, denominator, lossScale));
    try (Session session = new Session(device, graph, placement, Optional.empty(), true)) {
      return session.run(inputs);
    }
  }

  /** Norm, clip to 0.5 and AdamW with weight decay 0.01 over the adapters: one optimizer step. */
  public Graph update() {
    return Update.of(OPTIMIZER, adapters, compute, 0.5f);
  }

  /** The parts of every module, under its path with the part's name behind it. */
  public Map<String, float[]> byModule(String slot) {
    Numbers flat = state.numbers(slot);
    Map<String, float[]> result = new LinkedHashMap<>();
    for (Adapters.Module m : adapters.modules()) {
      m.parts().forEach(p -> result.put(m.path() + "." + p.part().name(), p.of(flat).all()));
    }
    return result;
  }

  @Override
  public void close() {
    placement.close();
    state.close();
    loaded.close();
  }
}

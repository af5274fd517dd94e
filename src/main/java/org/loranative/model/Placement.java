package org.loranative.model;

import java.util.HashMap;
import java.util.Map;
import org.loranative.UserException;
import org.loranative.device.Device;
import org.loranative.device.HostBuffer;
import org.loranative.device.Memory;
import org.loranative.graph.Planner;
import org.loranative.graph.Value;
import org.loranative.lora.AdapterState;
import org.loranative.model.weights.LoadedWeights;

/**
 * Where the values live that outlast a plan: loaded weights, adapter state, the model's constants
 * and whatever else an owner adds (key-value caches). Owns the constants; the rest belongs to
 * others.
 */
public final class Placement implements AutoCloseable {
  private final LoadedWeights weights;
  private final AdapterState state;
  private final Memory constants;
  private final Map<String, Long> addresses = new HashMap<>();

  public Placement(
      Device device, LoadedWeights weights, AdapterState state, Map<String, float[]> constants) {
    this.weights = weights;
    this.state = state;
    long bytes = constants.values().stream().mapToLong(c -> Planner.align(c.length * 4L)).sum();
    this.constants = device.allocate(bytes);
    long at = this.constants.address();
    for (Map.Entry<String, float[]> e : constants.entrySet()) {
      try (HostBuffer host = new HostBuffer(e.getValue().length * 4L)) {
        host.view().asFloatBuffer().put(e.getValue());
        device.upload(at, host, e.getValue().length * 4L);
      }
      addresses.put(e.getKey(), at);
      at += Planner.align(e.getValue().length * 4L);
    }
  }

  /** Places the value called {@code name}. */
  public void add(String name, long address) {
    addresses.put(name, address);
  }

  public long address(Value v) {
    if (weights.holds(v)) {
      return weights.address(v);
    }
    if (state.holds(v)) {
      return state.address(v);
    }
    Long address = addresses.get(v.name());
    if (address == null) {
      throw new UserException("The model needs " + v + ", which nothing provides.");
    }
    return address;
  }

  /**
   * To be called after a graph has run and before its results are used.
   *
   * @throws UserException if the base's file was cut off meanwhile
   */
  public void requireWhole() {
    weights.requireWhole();
  }

  @Override
  public void close() {
    constants.close();
  }
}

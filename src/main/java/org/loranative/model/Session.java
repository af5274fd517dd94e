package org.loranative.model;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.loranative.device.Device;
import org.loranative.device.HostBuffer;
import org.loranative.device.Memory;
import org.loranative.graph.Addresses;
import org.loranative.graph.Executor;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Plan;
import org.loranative.graph.Planner;
import org.loranative.graph.Value;
import org.loranative.io.DType;

/**
 * A graph planned and joined to an arena, run by the names of its inputs and results: for what is
 * computed beside training (encoding, drawing).
 */
public final class Session implements AutoCloseable {
  private final Device device;
  private final Plan plan;
  private final Executor executor;
  private final Placement placement;
  private final Optional<Memory> own;
  private final Memory arena;
  private final Addresses at;

  /**
   * @param lent arena that others take turns in; one of its own if absent
   */
  public Session(Device device, Graph graph, Placement placement, Optional<Memory> lent) {
    this(device, graph, placement, lent, false);
  }

  /**
   * @param poison fill the arena with NaN before each run
   */
  public Session(
      Device device, Graph graph, Placement placement, Optional<Memory> lent, boolean poison) {
    this.device = device;
    this.placement = placement;
    this.plan = Planner.plan(graph, device);
    this.executor = new Executor(device, poison);
    this.own =
        lent.isPresent() ? Optional.empty() : Optional.of(device.allocate(plan.arenaBytes()));
    this.arena = own.or(() -> lent).orElseThrow();
    this.at = plan.bind(arena, placement::address);
  }

  /**
   * Runs once; every result is f32.
   *
   * @param inputs int[] or float[] by name
   */
  public Map<String, float[]> run(Map<String, ?> inputs) {
    executor.prepare(plan, arena.address());
    for (Value v : plan.graph().named().values()) {
      if (v.kind() == Kind.INPUT) {
        upload(v, inputs.get(v.name()));
      }
    }
    executor.run(plan, at);
    Map<String, float[]> results = new HashMap<>();
    for (Value v : plan.graph().results()) {
      assert v.dtype() == DType.F32 : v;
      try (HostBuffer host = new HostBuffer(v.bytes())) {
        device.download(host, at.of(v), v.bytes());
        float[] values = new float[Math.toIntExact(v.shape().size())];
        host.view().asFloatBuffer().get(values);
        results.put(v.name(), values);
      }
    }
    placement.requireWhole();
    return results;
  }

  private void upload(Value v, Object values) {
    try (HostBuffer host = new HostBuffer(v.bytes())) {
      int written;
      if (values instanceof int[] ints) {
        host.view().asIntBuffer().put(ints);
        written = ints.length;
      } else {
        float[] floats = (float[]) values;
        host.view().asFloatBuffer().put(floats);
        written = floats.length;
      }
      if (written != v.shape().size()) {
        throw new IllegalArgumentException(written + " numbers for " + v);
      }
      device.upload(at.of(v), host, v.bytes());
    }
  }

  @Override
  public void close() {
    executor.close();
    own.ifPresent(Memory::close);
  }
}

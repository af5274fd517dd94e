package org.loranative.model;

import java.util.HashMap;
import java.util.Map;
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
 * A graph planned and joined to an arena of its own, run by the names of its inputs and results:
 * for what is computed beside training (encoding, drawing).
 */
public final class Session implements AutoCloseable {
  private final Device device;
  private final Plan plan;
  private final Executor executor;
  private final Memory arena;
  private final Addresses at;

  public Session(Device device, Graph graph, Placement placement) {
    this(device, graph, placement, false);
  }

  /**
   * @param poison fill the arena with NaN before each run
   */
  public Session(Device device, Graph graph, Placement placement, boolean poison) {
    this.device = device;
    this.plan = Planner.plan(graph, device);
    this.executor = new Executor(device, poison);
    this.arena = device.allocate(plan.arenaBytes());
    this.at = plan.bind(arena.address(), placement::address);
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
    return results;
  }

  private void upload(Value v, Object values) {
    try (HostBuffer host = new HostBuffer(v.bytes())) {
      if (values instanceof int[] ints) {
        host.view().asIntBuffer().put(ints);
      } else {
        host.view().asFloatBuffer().put((float[]) values);
      }
      device.upload(at.of(v), host, v.bytes());
    }
  }

  @Override
  public void close() {
    executor.close();
    arena.close();
  }
}

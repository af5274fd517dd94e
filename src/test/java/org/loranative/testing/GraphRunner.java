package org.loranative.testing;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.loranative.device.Device;
import org.loranative.device.HostBuffer;
import org.loranative.device.Memory;
import org.loranative.graph.Addresses;
import org.loranative.graph.Executor;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.NotFinite;
import org.loranative.graph.Op;
import org.loranative.graph.Plan;
import org.loranative.graph.Planner;
import org.loranative.graph.Value;
import org.loranative.io.DType;

/**
 * Runs a graph by itself: every value outside the arena gets memory of its own, inputs are given by
 * name, results read by name. The arena is filled with NaN before each run.
 */
public final class GraphRunner implements AutoCloseable {
  private final Device device;
  private final Executor executor;
  private final Graph graph;
  private final Plan plan;
  private final Memory arena;
  private final Map<String, Memory> elsewhere = new HashMap<>();
  private final Map<String, Value> results = new LinkedHashMap<>();
  private final Addresses at;

  public GraphRunner(Graph graph, Device device) {
    this.device = device;
    this.executor = new Executor(device, true);
    this.graph = graph;
    this.plan = Planner.plan(graph, device);
    this.arena = device.allocate(plan.arenaBytes());
    for (Value v : graph.named().values()) {
      if (v.kind() != Kind.INPUT) {
        elsewhere.put(v.name(), device.allocate(v.bytes()));
      }
    }
    at = plan.bind(arena, v -> elsewhere.get(v.name()).address());
    graph.results().forEach(v -> results.put(v.name(), v));
  }

  public Plan plan() {
    return plan;
  }

  /** Writes a weight, parameter or state value, converted to its dtype. */
  public GraphRunner set(String name, float[] values) {
    Value v = graph.named().get(name);
    if (v != null) {
      write(v, elsewhere.get(name).address(), values);
    }
    return this;
  }

  public GraphRunner setInts(String name, int[] values) {
    Value v = graph.named().get(name);
    try (HostBuffer host = new HostBuffer(values.length * 4L)) {
      host.view().asIntBuffer().put(values);
      device.upload(elsewhere.get(name).address(), host, values.length * 4L);
    }
    assert v.dtype() == DType.I32;
    return this;
  }

  /** Writes raw bytes of a state value. */
  public void setBytes(String name, java.util.function.Consumer<java.nio.ByteBuffer> writer) {
    Value v = graph.named().get(name);
    try (HostBuffer host = new HostBuffer(v.bytes())) {
      writer.accept(host.view());
      device.upload(elsewhere.get(name).address(), host, v.bytes());
    }
  }

  /** Runs once; inputs are int[] or float[] by name. */
  public void run(Map<String, Object> inputs) {
    place(inputs);
    executor.run(plan, at);
  }

  /** The first op that makes what is no number, of an arena full of such. */
  public Optional<String> firstNotFinite(Map<String, Object> inputs) {
    place(inputs);
    return NotFinite.firstOp(device, plan, at);
  }

  private void place(Map<String, Object> inputs) {
    executor.prepare(plan, arena.address());
    inputs.forEach(
        (name, values) -> {
          Value v = graph.named().get(name);
          if (v == null) {
            return;
          }
          if (values instanceof int[] ints) {
            try (HostBuffer host = new HostBuffer(ints.length * 4L)) {
              host.view().asIntBuffer().put(ints);
              device.upload(at.of(v), host, ints.length * 4L);
            }
          } else {
            write(v, at.of(v), (float[]) values);
          }
        });
  }

  /** Starts one op of the plan again, on what the last run left. */
  public void again(Op op) {
    op.run(device, at);
  }

  /** A result of the last run. */
  public float[] result(String name) {
    Value v = results.get(name);
    return read(v, at.of(v));
  }

  /** The same for results that share a name. */
  public float[] result(Value v) {
    return read(v, at.of(v));
  }

  /** A value outside the arena: a parameter, its gradient, state. */
  public float[] get(String name) {
    return read(graph.named().get(name), elsewhere.get(name).address());
  }

  private void write(Value v, long address, float[] values) {
    assert values.length == v.shape().size() : v + " given " + values.length;
    try (HostBuffer host = new HostBuffer(v.bytes())) {
      for (int i = 0; i < values.length; i++) {
        switch (v.dtype()) {
          case BF16 -> host.view().putShort(i * 2, Bf16.bits(values[i]));
          case F16 -> host.view().putShort(i * 2, F16.bits(values[i]));
          default -> host.view().putFloat(i * 4, values[i]);
        }
      }
      device.upload(address, host, v.bytes());
    }
  }

  private float[] read(Value v, long address) {
    float[] values = new float[Math.toIntExact(v.shape().size())];
    try (HostBuffer host = new HostBuffer(v.bytes())) {
      device.download(host, address, v.bytes());
      for (int i = 0; i < values.length; i++) {
        values[i] =
            switch (v.dtype()) {
              case BF16 -> Bf16.value(host.view().getShort(i * 2));
              case F16 -> F16.value(host.view().getShort(i * 2));
              default -> host.view().getFloat(i * 4);
            };
      }
    }
    return values;
  }

  @Override
  public void close() {
    executor.close();
    arena.close();
    elsewhere.values().forEach(Memory::close);
  }
}

package org.loranative.benchmarks;

import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.loranative.device.CpuDevice;
import org.loranative.device.Device;
import org.loranative.device.HostBuffer;
import org.loranative.device.Memory;
import org.loranative.graph.Addresses;
import org.loranative.graph.Executor;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Plan;
import org.loranative.graph.Planner;
import org.loranative.graph.StepState;
import org.loranative.graph.Value;
import org.loranative.io.DType;

/** A planned graph over random numbers, ready to be run again and again. */
final class Bench implements AutoCloseable {
  private final Device device = new CpuDevice(CpuDevice.physicalCores());
  private final Executor executor = new Executor(device, false);
  private final Map<String, Memory> memory = new HashMap<>();
  private final Map<Value, HostBuffer> inputs = new HashMap<>();
  private final Plan plan;
  private final Memory arena;
  private final Addresses at;

  Bench(Graph graph) {
    plan = Planner.plan(graph, device);
    arena = device.allocate(plan.arenaBytes());
    SplittableRandom random = new SplittableRandom(1);
    for (Value v : graph.named().values()) {
      if (v.kind() != Kind.INPUT) {
        Memory m = device.allocate(v.bytes());
        memory.put(v.name(), m);
        fill(v, m.address(), random);
      }
    }
    at = plan.bind(arena, v -> memory.get(v.name()).address());
    for (Value v : graph.named().values()) {
      if (v.kind() == Kind.INPUT) {
        HostBuffer host = new HostBuffer(v.bytes());
        random(v, host, random);
        inputs.put(v, host);
      }
    }
  }

  /** Numbers of a network's size; zeros and powers of two would flatter the hardware. */
  private static void random(Value v, HostBuffer host, SplittableRandom random) {
    if (v.name().equals("step")) {
      new StepState(1, 1, 0, 1e-4, 0.9, 0.999, 100).write(host.view());
    } else {
      for (int i = 0; i < v.shape().size(); i++) {
        float x = (float) (random.nextDouble() - 0.5) * 0.2f;
        switch (v.dtype()) {
          case F32 -> host.view().putFloat(i * 4, x);
          case BF16 -> host.view().putShort(i * 2, (short) (Float.floatToRawIntBits(x) >>> 16));
          default ->
              host.view().putInt(i * 4, v.name().equals("doc_start") ? i / 256 * 256 : i % 16);
        }
      }
    }
  }

  private void fill(Value v, long address, SplittableRandom random) {
    try (HostBuffer host = new HostBuffer(v.bytes())) {
      random(v, host, random);
      device.upload(address, host, v.bytes());
    }
  }

  static DType dtype(String name) {
    return name.equals("bf16") ? DType.BF16 : DType.F32;
  }

  long arenaBytes() {
    return plan.arenaBytes() + device.libraryBytes();
  }

  /** One run; inputs are copied first, as in training: their places are reused within a run. */
  void run() {
    inputs.forEach((v, host) -> device.upload(at.of(v), host, v.bytes()));
    executor.run(plan, at);
  }

  @Override
  public void close() {
    arena.close();
    memory.values().forEach(Memory::close);
    inputs.values().forEach(HostBuffer::close);
    device.close();
  }
}

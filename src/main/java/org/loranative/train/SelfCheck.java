package org.loranative.train;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.loranative.device.Device;
import org.loranative.device.DeviceException;
import org.loranative.device.HostBuffer;
import org.loranative.device.Memory;
import org.loranative.graph.Addresses;
import org.loranative.graph.Autodiff;
import org.loranative.graph.Executor;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Plan;
import org.loranative.graph.Planner;
import org.loranative.graph.Shape;
import org.loranative.graph.StepState;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Act;
import org.loranative.graph.ops.Attention;
import org.loranative.graph.ops.Cast;
import org.loranative.graph.ops.Glu;
import org.loranative.graph.ops.LinearCrossEntropy;
import org.loranative.graph.ops.LoraLinear;
import org.loranative.graph.ops.RmsNorm;
import org.loranative.io.DType;

/**
 * A card is taken without being asked for only after it has computed one small training step as the
 * CPU does: norm, adapted layers, attention, activation, head and loss, with every gradient.
 */
final class SelfCheck {
  private static final int TOKENS = 80;
  private static final int WIDTH = 128;
  private static final int HEADS = 2;
  private static final int RANK = 4;
  private static final int VOCAB = 96;

  private SelfCheck() {}

  /** What is wrong with {@code card}, measured against {@code cpu} in f32; empty if nothing is. */
  static Optional<String> problem(Device card, Device cpu) {
    try {
      Map<String, float[]> expected = run(cpu, DType.F32);
      for (DType dtype : new DType[] {DType.F32, DType.BF16}) {
        Map<String, float[]> actual = run(card, dtype);
        double tolerance = dtype == DType.F32 ? 1e-3 : 5e-2;
        for (Map.Entry<String, float[]> e : expected.entrySet()) {
          double error = relativeError(actual.get(e.getKey()), e.getValue());
          if (!(error < tolerance)) {
            return Optional.of(
                String.format(
                    "its %s of a test step in %s is off by %.2g", e.getKey(), dtype, error));
          }
        }
      }
      return Optional.empty();
    } catch (DeviceException e) {
      return Optional.of(e.getMessage());
    }
  }

  private static double relativeError(float[] actual, float[] expected) {
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < expected.length; i++) {
      difference += Math.pow(actual[i] - expected[i], 2);
      norm += Math.pow(expected[i], 2);
    }
    return Math.sqrt(difference / norm);
  }

  private static Graph step(DType dtype) {
    Graph g = new Graph();
    Value x = Cast.of(g, g.named(Kind.PARAM, "x", DType.F32, Shape.of(TOKENS, WIDTH)), dtype);
    Value norm = g.named(Kind.STATE, "norm", DType.F32, Shape.of(WIDTH));
    Value h = RmsNorm.of(g, "norm", x, Optional.empty(), norm, 1e-5f).y();
    Value o =
        Attention.of(
            g,
            "o",
            adapted(g, "q", h, dtype),
            adapted(g, "k", h, dtype),
            adapted(g, "v", h, dtype),
            g.named(Kind.STATE, "doc_start", DType.I32, Shape.of(TOKENS)),
            Attention.Setting.causal(HEADS, HEADS, WIDTH / HEADS, 0.125f, 0, 0, TOKENS));
    Value y = Glu.of(g, adapted(g, "gate", o, dtype), o, Act.SILU);
    Value head = g.named(Kind.STATE, "head", dtype, Shape.of(VOCAB, WIDTH));
    Value labels = g.named(Kind.STATE, "labels", DType.I32, Shape.of(TOKENS));
    LinearCrossEntropy.of(g, y, head, labels, 0, true);
    Autodiff.backward(g);
    return g;
  }

  private static Value adapted(Graph g, String name, Value x, DType dtype) {
    return LoraLinear.of(
        g,
        name,
        x,
        g.named(Kind.STATE, name + ".w0", dtype, Shape.of(WIDTH, WIDTH)),
        Optional.empty(),
        g.named(Kind.PARAM, name + ".a", DType.F32, Shape.of(RANK, WIDTH)),
        g.named(Kind.PARAM, name + ".b", DType.F32, Shape.of(WIDTH, RANK)),
        new LoraLinear.Setting(0.5f, 0, 0));
  }

  /** Loss and gradients by name. */
  private static Map<String, float[]> run(Device device, DType dtype) {
    Graph graph = step(dtype);
    Plan plan = Planner.plan(graph, device);
    Map<String, Memory> memory = new HashMap<>();
    try (Memory arena = device.allocate(plan.arenaBytes());
        Executor executor = new Executor(device, false)) {
      for (Value v : graph.named().values()) {
        memory.put(v.name(), device.allocate(v.bytes()));
      }
      for (Value v : graph.named().values()) {
        fill(device, v, memory.get(v.name()).address());
      }
      Addresses at = plan.bind(arena, v -> memory.get(v.name()).address());
      executor.run(plan, at);
      Map<String, float[]> results = new HashMap<>();
      Value loss = graph.results().iterator().next();
      results.put("loss", read(device, at.of(loss), loss));
      for (Value v : graph.named().values()) {
        if (v.name().endsWith(".grad")) {
          results.put("gradient of " + v.name(), read(device, at.of(v), v));
        }
      }
      return results;
    } finally {
      memory.values().forEach(Memory::close);
    }
  }

  /** Numbers that depend on the name alone, rounded alike for every dtype. */
  private static void fill(Device device, Value v, long address) {
    if (v.name().endsWith(".grad")) {
      return; // zeroed when allocated
    }
    Random random = new Random(v.name().hashCode());
    try (HostBuffer host = new HostBuffer(v.bytes())) {
      if (v.name().equals("step")) {
        new StepState(1, 1, 0, 1e-3, 0.9, 0.999, TOKENS).write(host.view());
      } else {
        for (int i = 0; i < v.shape().size(); i++) {
          int bits = Float.floatToRawIntBits((float) random.nextGaussian() * scale(v)) & ~0xffff;
          switch (v.dtype()) {
            case BF16 -> host.view().putShort(i * 2, (short) (bits >>> 16));
            case I32 ->
                host.view().putInt(i * 4, v.name().equals("labels") ? random.nextInt(VOCAB) : 0);
            default -> host.view().putFloat(i * 4, Float.intBitsToFloat(bits));
          }
        }
      }
      device.upload(address, host, v.bytes());
    }
  }

  private static float scale(Value v) {
    return v.name().equals("x") || v.name().equals("norm") ? 1 : 0.1f;
  }

  private static float[] read(Device device, long address, Value v) {
    float[] values = new float[Math.toIntExact(v.shape().size())];
    try (HostBuffer host = new HostBuffer(v.bytes())) {
      device.download(host, address, v.bytes());
      host.view().asFloatBuffer().get(values);
    }
    return values;
  }
}

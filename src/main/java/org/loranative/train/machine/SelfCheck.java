package org.loranative.train.machine;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.loranative.device.CpuDevice;
import org.loranative.device.Device;
import org.loranative.device.DeviceException;
import org.loranative.device.HostBuffer;
import org.loranative.device.Memory;
import org.loranative.graph.Addresses;
import org.loranative.graph.Executor;
import org.loranative.graph.Graph;
import org.loranative.graph.Plan;
import org.loranative.graph.Planner;
import org.loranative.graph.StepState;
import org.loranative.graph.Value;
import org.loranative.io.DType;

/**
 * A card is taken without being asked for only after it has computed {@link SelfCheckCases} as the
 * CPU does, with every gradient.
 */
final class SelfCheck {
  private SelfCheck() {}

  /** What is wrong with {@code card}, measured against {@code cpu} in f32; empty if nothing is. */
  static Optional<String> problem(Device card, Device cpu) {
    try {
      for (SelfCheckCases.Case one : SelfCheckCases.all()) {
        Map<String, float[]> expected = run(cpu, one.graph(DType.F32));
        for (DType dtype : one.dtypes()) {
          Map<String, float[]> actual = run(card, one.graph(dtype));
          double tolerance = dtype == DType.F32 ? 1e-3 : 5e-2;
          for (Map.Entry<String, float[]> e : expected.entrySet()) {
            double error = relativeError(actual.get(e.getKey()), e.getValue());
            if (!(error < tolerance)) {
              return Optional.of(
                  String.format(
                      "the %s of %s in %s is off by %.2g", e.getKey(), one.name(), dtype, error));
            }
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
      double error = actual[i] - expected[i];
      difference += error * error;
      norm += (double) expected[i] * expected[i];
    }
    return Math.sqrt(difference / norm);
  }

  /** Loss and gradients by name. */
  private static Map<String, float[]> run(Device device, Graph graph) {
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
          String of = v.name().substring(0, v.name().length() - ".grad".length());
          results.put("gradient of " + of, read(device, at.of(v), v));
        }
      }
      return results;
    } finally {
      memory.values().forEach(Memory::close);
    }
  }

  /** Numbers that depend on the name alone, such as every dtype holds. */
  private static void fill(Device device, Value v, long address) {
    if (v.name().endsWith(".grad")) {
      return; // zeroed when allocated
    }
    SplittableRandom random = new SplittableRandom(v.name().hashCode());
    try (HostBuffer host = new HostBuffer(v.bytes())) {
      if (v.name().equals("step")) {
        new StepState(1, 1, 0, 1e-3, 0.9, 0.999, SelfCheckCases.TOKENS).write(host.view());
      } else if (v.dtype() == DType.NF4) {
        nf4(host, v.shape().size(), random);
      } else if (v.dtype().isBlocks()) {
        blocks(host, v.dtype(), random);
      } else if (v.dtype() == DType.I32) {
        for (int i = 0; i < v.shape().size(); i++) {
          boolean label = v.name().equals("labels");
          host.view().putInt(i * 4, label ? random.nextInt(SelfCheckCases.VOCAB) : 0);
        }
      } else {
        numbers(host, v.shape().size(), random, isSmall(v.name()) ? 0.1f : 1);
      }
      device.upload(address, host, v.bytes());
    }
  }

  /** Matrices and biases; activations and the norms' factors are not. */
  private static boolean isSmall(String name) {
    return name.matches("head|conv\\.[wb]|.*\\.(w0|a|b)");
  }

  /** Of standard deviation {@code scale}; evenly spread, which costs a tenth of a normal draw. */
  private static void numbers(HostBuffer host, long count, SplittableRandom random, float scale) {
    float width = scale * (float) Math.sqrt(12);
    int[] bits = new int[Math.toIntExact(count)];
    for (int i = 0; i < count; i++) {
      float fraction = (random.nextInt() >> 8) * 0x1p-24f; // -1/2 to 1/2
      bits[i] = Float.floatToRawIntBits(fraction * width) & ~0xffff;
    }
    host.view().asIntBuffer().put(bits);
  }

  private static void nf4(HostBuffer host, long count, SplittableRandom random) {
    try (HostBuffer numbers = new HostBuffer(count * 4)) {
      numbers(numbers, count, random, 0.1f);
      CpuDevice.quantizeNf4(numbers.address(), host, count);
    }
  }

  /**
   * Bytes of which any two are a finite f16 of at most 1/8: blocks of any type of GGUF. Four would
   * be next to nothing as a scale, so those of FP8 are set.
   */
  private static void blocks(HostBuffer host, DType type, SplittableRandom random) {
    byte[] bytes = new byte[host.view().capacity()];
    random.nextBytes(bytes);
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] &= (byte) 0xaf;
    }
    host.view().put(0, bytes);
    for (int i = 0; type == DType.FP8 && i < bytes.length; i += type.bytesPerBlock) {
      host.view().putFloat(i, 0.1f + i % 7 * 0.05f);
    }
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

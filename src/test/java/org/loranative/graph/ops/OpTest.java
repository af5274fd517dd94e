package org.loranative.graph.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.ExtendWith;
import org.loranative.device.CpuDevice;
import org.loranative.device.Device;
import org.loranative.graph.Autodiff;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.testing.Errors;
import org.loranative.testing.GraphRunner;
import org.loranative.testing.Seeded;
import org.loranative.testing.TestDevices;

/** Forward and every gradient of each op against f64, over random ragged shapes. */
@ExtendWith(Seeded.class)
class OpTest {
  private static final int DRAWS = 6;
  private static final Map<String, Device> DEVICES = new TreeMap<>();

  /** How far from f64 a dtype may be, and its rounding. */
  private record Tolerance(DType dtype, double forward, double gradient, double unit) {}

  @BeforeAll
  static void open() {
    TestDevices.OPS.forEach(n -> DEVICES.put(n, TestDevices.open(n)));
  }

  @AfterAll
  static void close() {
    DEVICES.values().forEach(Device::close);
  }

  @TestFactory
  Stream<DynamicTest> f32(Random random) {
    return tests(random.nextLong(), new Tolerance(DType.F32, 2e-6, 1e-5, 0x1p-24));
  }

  @TestFactory
  Stream<DynamicTest> bf16(Random random) {
    return tests(random.nextLong(), new Tolerance(DType.BF16, 6e-3, 1e-2, 0x1p-9));
  }

  @TestFactory
  Stream<DynamicTest> f16(Random random) {
    return tests(random.nextLong(), new Tolerance(DType.F16, 8e-4, 2e-3, 0x1p-12));
  }

  private static Stream<DynamicTest> tests(long seed, Tolerance tolerance) {
    return DEVICES.entrySet().stream()
        .filter(d -> !d.getKey().equals("cpu") || cpuComputes(tolerance.dtype))
        .flatMap(
            d ->
                OpCases.all().stream()
                    .map(
                        c ->
                            DynamicTest.dynamicTest(
                                c.name() + " on " + d.getKey(),
                                () -> {
                                  for (int i = 0; i < DRAWS; i++) {
                                    check(OpReference.of(c, seed, i), d.getValue(), tolerance);
                                  }
                                })));
  }

  private static boolean cpuComputes(DType dtype) {
    return dtype == DType.F32 || dtype == DType.BF16 && CpuDevice.hasBf16();
  }

  private static void check(OpReference expected, Device device, Tolerance tolerance) {
    OpCase.Instance c = expected.instance;
    Graph g = new Graph();
    List<Value> outputs = c.builder.build(g, tolerance.dtype);
    List<Value> given = new ArrayList<>();
    List<Value> gradients = new ArrayList<>();
    Map<String, Object> inputs = new HashMap<>(c.fixed);
    for (Value y : outputs) {
      String name = "dy" + given.size();
      inputs.put(name, expected.dys.get(given.size()));
      given.add(g.named(Kind.INPUT, name, DType.F32, y.shape()));
      gradients.add(g.like(y, name + ".cast"));
      g.result(y);
    }
    g.add(new OpCase.Sink(outputs, given, gradients));
    Autodiff.backward(g);
    Map<String, String> gradientResults = markGradients(g);
    inputs
        .keySet()
        .removeIf(n -> !g.named().containsKey(n) || g.named().get(n).kind() != Kind.INPUT);

    try (GraphRunner runner = new GraphRunner(g, device)) {
      c.differentiable.forEach(runner::set);
      c.fixed.forEach(
          (n, v) -> {
            if (v instanceof float[] f) {
              runner.set(n, f);
            }
          });
      if (g.named().containsKey("step")) {
        runner.setBytes("step", b -> OpCases.step(1).write(b));
      }
      runner.run(inputs);
      for (int i = 0; i < outputs.size(); i++) {
        double error = Errors.relative(runner.result(outputs.get(i)), expected.outputs.get(i));
        double most = tolerance.forward;
        if (!(error < most)) {
          most = Math.max(most, 4 * expected.outputNoise(i, tolerance.unit, error / 4));
        }
        assertThat(error).as("output %d %s, %s", i, c.shape, Seeded.again()).isLessThan(most);
      }
      Map<String, float[]> first = new HashMap<>();
      for (String name : c.differentiable.keySet()) {
        float[] actual =
            gradientResults.containsKey(name)
                ? runner.result(gradientResults.get(name))
                : runner.get(name + ".grad");
        first.put(name, actual);
        double error = expected.error(name, actual);
        double most = tolerance.gradient * c.gradientSlack;
        if (!(error < most)) { // costly, so only when it is needed
          most = Math.max(most, 4 * expected.noise(name, tolerance.unit, error / 4));
        }
        assertThat(error)
            .as("gradient of %s %s, %s", name, c.shape, Seeded.again())
            .isLessThan(most);
      }
      // Bit-equal when run again (accumulators go on from where they were, so only results).
      runner.run(inputs);
      gradientResults.forEach(
          (name, result) -> assertThat(runner.result(result)).isEqualTo(first.get(name)));
    }
  }

  /** Makes the leaves' gradients readable; returns their names by leaf. */
  private static Map<String, String> markGradients(Graph g) {
    Map<String, String> names = new HashMap<>();
    for (Graph.Node node : g.nodes()) {
      if (node.op() instanceof OpCase.Leaf leaf && leaf.gradientOf().isPresent()) {
        g.result(leaf.x());
        names.put(leaf.gradientOf().get().name(), leaf.x().name());
      }
    }
    return names;
  }
}

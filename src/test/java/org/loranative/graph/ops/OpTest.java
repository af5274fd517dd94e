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

  @BeforeAll
  static void open() {
    TestDevices.NAMES.forEach(n -> DEVICES.put(n, TestDevices.open(n)));
  }

  @AfterAll
  static void close() {
    DEVICES.values().forEach(Device::close);
  }

  @TestFactory
  Stream<DynamicTest> f32(Random random) {
    return tests(random.nextLong(), DType.F32, 2e-6, 1e-5);
  }

  @TestFactory
  Stream<DynamicTest> bf16(Random random) {
    return tests(random.nextLong(), DType.BF16, 6e-3, 1e-2);
  }

  @TestFactory
  Stream<DynamicTest> f16(Random random) {
    return tests(random.nextLong(), DType.F16, 8e-4, 2e-3);
  }

  private static Stream<DynamicTest> tests(
      long seed, DType dtype, double forward, double gradient) {
    return DEVICES.entrySet().stream()
        .filter(d -> !d.getKey().equals("cpu") || cpuComputes(dtype))
        .flatMap(
            d ->
                OpCases.all().stream()
                    .map(
                        c ->
                            DynamicTest.dynamicTest(
                                c.name() + " on " + d.getKey(),
                                () -> {
                                  // The same draws on every device.
                                  Random random = new Random(seed ^ c.name().hashCode());
                                  for (int i = 0; i < DRAWS; i++) {
                                    OpCase.Instance instance = c.draw().apply(random);
                                    check(instance, d.getValue(), random, dtype, forward, gradient);
                                  }
                                })));
  }

  private static boolean cpuComputes(DType dtype) {
    return dtype == DType.F32 || dtype == DType.BF16 && CpuDevice.hasBf16();
  }

  private static void check(
      OpCase.Instance c,
      Device device,
      Random random,
      DType dtype,
      double forward,
      double gradient) {
    Graph g = new Graph();
    List<Value> outputs = c.builder.build(g, dtype);
    List<Value> given = new ArrayList<>();
    List<Value> gradients = new ArrayList<>();
    Map<String, Object> inputs = new HashMap<>();
    List<float[]> dys = new ArrayList<>();
    for (Value y : outputs) {
      String name = "dy" + given.size();
      given.add(g.named(Kind.INPUT, name, DType.F32, y.shape()));
      gradients.add(g.like(y, name + ".cast"));
      dys.add(OpCases.normal(random, y.shape().size(), 1));
      inputs.put(name, dys.get(dys.size() - 1));
      g.result(y);
    }
    g.add(new OpCase.Sink(outputs, given, gradients));
    Autodiff.backward(g);
    Map<String, String> gradientResults = markGradients(g);
    c.fixed.forEach((n, v) -> inputs.put(n, v));

    Map<String, double[]> wide = new HashMap<>();
    c.differentiable.forEach((n, v) -> wide.put(n, wide(v)));
    c.fixed.forEach(
        (n, v) -> {
          if (v instanceof float[] f) {
            wide.put(n, wide(f));
          }
        });
    List<double[]> expected = c.reference.apply(wide);

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
      Map<String, Object> onlyInputs = new HashMap<>(inputs);
      onlyInputs.keySet().removeIf(n -> g.named().get(n) == null);
      onlyInputs.keySet().removeIf(n -> g.named().get(n).kind() != Kind.INPUT);
      runner.run(onlyInputs);
      for (int i = 0; i < outputs.size(); i++) {
        assertThat(Errors.relative(runner.result(outputs.get(i)), expected.get(i)))
            .as("output %d %s", i, c.shape)
            .isLessThan(forward);
      }
      List<float[]> first = new ArrayList<>();
      for (String name : c.differentiable.keySet()) {
        float[] actual =
            gradientResults.containsKey(name)
                ? runner.result(gradientResults.get(name))
                : runner.get(name + ".grad");
        first.add(actual);
        double[] exact = numeric(c, wide, name, dys);
        double noise = rounding(c, wide, name, dys, exact, dtype, random);
        assertThat(Errors.relative(actual, exact))
            .as("gradient of %s %s", name, c.shape)
            .isLessThan(Math.max(gradient * c.gradientSlack, 4 * noise));
      }
      // Bit-equal when run again (accumulators go on from where they were, so only results).
      runner.run(onlyInputs);
      int i = 0;
      for (String name : c.differentiable.keySet()) {
        if (gradientResults.containsKey(name)) {
          assertThat(runner.result(gradientResults.get(name))).isEqualTo(first.get(i));
        }
        i++;
      }
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

  private static double[] wide(float[] x) {
    double[] y = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = x[i];
    }
    return y;
  }

  /**
   * How far the gradient moves when every number it is made of is off by one rounding: where terms
   * cancel, no arithmetic of that precision does better.
   */
  private static double rounding(
      OpCase.Instance c,
      Map<String, double[]> at,
      String name,
      List<float[]> dys,
      double[] exact,
      DType dtype,
      Random random) {
    double unit = dtype == DType.BF16 ? 0x1p-9 : dtype == DType.F16 ? 0x1p-12 : 0x1p-24;
    Map<String, double[]> moved = new HashMap<>();
    at.forEach(
        (n, x) -> {
          double[] y = x.clone();
          for (int i = 0; i < y.length; i++) {
            y[i] *= 1 + unit * (random.nextBoolean() ? 1 : -1);
          }
          moved.put(n, y);
        });
    List<float[]> movedDys = new ArrayList<>();
    for (float[] dy : dys) {
      float[] y = dy.clone();
      for (int i = 0; i < y.length; i++) {
        y[i] *= (float) (1 + unit * (random.nextBoolean() ? 1 : -1));
      }
      movedDys.add(y);
    }
    double[] gradient = numeric(c, moved, name, movedDys);
    float[] narrow = new float[gradient.length];
    for (int i = 0; i < narrow.length; i++) {
      narrow[i] = (float) gradient[i];
    }
    return Errors.relative(narrow, exact);
  }

  /** Central differences of Σ dy·y by each element of {@code name}. */
  private static double[] numeric(
      OpCase.Instance c, Map<String, double[]> at, String name, List<float[]> dys) {
    double step = 1e-5;
    double[] x = at.get(name);
    double[] gradient = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      double middle = x[i];
      x[i] = middle + step;
      double up = dot(c.reference.apply(at), dys);
      x[i] = middle - step;
      double down = dot(c.reference.apply(at), dys);
      x[i] = middle;
      gradient[i] = (up - down) / (2 * step);
    }
    return gradient;
  }

  private static double dot(List<double[]> ys, List<float[]> dys) {
    double sum = 0;
    for (int k = 0; k < ys.size(); k++) {
      for (int i = 0; i < ys.get(k).length; i++) {
        sum += ys.get(k)[i] * dys.get(k)[i];
      }
    }
    return sum;
  }
}

package org.loranative.graph.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.loranative.device.Device;
import org.loranative.graph.Autodiff;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.testing.Bf16;
import org.loranative.testing.Errors;
import org.loranative.testing.GraphRunner;
import org.loranative.testing.Seeded;
import org.loranative.testing.TestDevices;

/**
 * Attention on the tensor cores over several tiles of queries and keys, every width of head,
 * against the CPU in f32 (which {@code OpTest} holds against f64).
 */
@ExtendWith(Seeded.class)
class TiledAttentionTest {
  @ParameterizedTest
  @CsvSource({
    "64, bf16, 0, 0", "64, f16, 50, 0", "16, bf16, 0, 2", "40, f16, 0, 0", "96, bf16, 0, 0",
    "80, bf16, 70, 3", "128, bf16, 0, 0", "128, f16, 33, 0", "256, bf16, 0, 0", "256, f16, 80, 4"
  })
  void equalsTheCpu(int dim, String type, long window, float softcap, Random r) {
    DType dtype = DType.valueOf(type.toUpperCase());
    int m = 100 + r.nextInt(90);
    int kvHeads = 1 + r.nextInt(2);
    int heads = kvHeads * (1 + r.nextInt(2));
    int[] start = new int[m];
    for (int i = 1; i < m; i++) {
      start[i] = r.nextInt(60) == 0 ? i : start[i - 1];
    }
    Attention.Setting setting =
        new Attention.Setting(
            heads, kvHeads, dim, (float) (1 / Math.sqrt(dim)), softcap, window, m);
    Map<String, float[]> numbers = new HashMap<>();
    numbers.put("q", numbers(r, m * heads * dim));
    numbers.put("k", numbers(r, m * kvHeads * dim));
    numbers.put("v", numbers(r, m * kvHeads * dim));
    numbers.put("dy", numbers(r, m * heads * dim));
    List<float[]> expected = run("cpu", DType.F32, m, setting, start, numbers);
    double tolerance = dtype == DType.BF16 ? 1e-2 : 2e-3;
    for (String device : List.of("cuda-emu", "cuda-check")) {
      List<float[]> actual = run(device, dtype, m, setting, start, numbers);
      for (int i = 0; i < expected.size(); i++) {
        assertThat(Errors.relative(actual.get(i), expected.get(i)))
            .as(
                "%s of %s, M %d, heads %d/%d",
                "o dq dk dv".split(" ")[i], device, m, heads, kvHeads)
            .isLessThan(tolerance);
      }
    }
  }

  private static List<float[]> run(
      String name,
      DType dtype,
      int m,
      Attention.Setting setting,
      int[] start,
      Map<String, float[]> numbers) {
    Graph g = new Graph();
    long width = setting.heads() * setting.headDim();
    long kvWidth = setting.kvHeads() * setting.headDim();
    Value o =
        Attention.of(
            g,
            "o",
            OpCase.leaf(g, "q", dtype, m, width),
            OpCase.leaf(g, "k", dtype, m, kvWidth),
            OpCase.leaf(g, "v", dtype, m, kvWidth),
            g.input("start", DType.I32, m),
            setting);
    g.result(o);
    Value given = g.input("dy", DType.F32, m, width);
    g.add(new OpCase.Sink(List.of(o), List.of(given), List.of(g.like(o, "dy.cast"))));
    Autodiff.backward(g);
    Map<String, Value> gradients = new HashMap<>();
    for (Graph.Node node : g.nodes()) {
      if (node.op() instanceof OpCase.Leaf leaf && leaf.gradientOf().isPresent()) {
        g.result(leaf.x());
        gradients.put(leaf.gradientOf().get().name(), leaf.x());
      }
    }
    try (Device device = TestDevices.open(name);
        GraphRunner runner = new GraphRunner(g, device)) {
      for (String input : List.of("q", "k", "v")) {
        runner.set(input, numbers.get(input));
      }
      runner.run(Map.of("start", start, "dy", numbers.get("dy")));
      List<float[]> values = new ArrayList<>();
      values.add(runner.result(o));
      for (String input : List.of("q", "k", "v")) {
        values.add(runner.result(gradients.get(input)));
      }
      return values;
    }
  }

  private static float[] numbers(Random r, int n) {
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = Bf16.round(r.nextGaussian());
    }
    return x;
  }
}

package org.loranative.graph.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.RmsNorm.RmsNormBackward;
import org.loranative.graph.ops.Rope.Pairing;
import org.loranative.io.DType;
import org.loranative.testing.GraphRunner;
import org.loranative.testing.Seeded;
import org.loranative.testing.TestDevices;

/** Heads that are normed and turned in one pass, forward and backward. */
@ExtendWith(Seeded.class)
class NormedHeadsTest {
  /** To the bit what two passes make, of heads that a warp can turn and of others. */
  @ParameterizedTest
  @CsvSource({
    "cpu, F32, 128",
    "cpu, BF16, 20",
    "cuda-emu, BF16, 128",
    "cuda-emu, F16, 64",
    "cuda-check, BF16, 256",
    "cuda-check, F32, 16",
    "cuda-emu, BF16, 96",
    "cuda-emu, F32, 20"
  })
  void bits(String on, DType dtype, int headDim, Random r) {
    int tokens = 1 + r.nextInt(20);
    int heads = 1 + r.nextInt(5);
    Map<String, float[]> numbers = new LinkedHashMap<>();
    numbers.put("x", OpCases.normal(r, tokens * heads * headDim, 2));
    numbers.put("dy", OpCases.normal(r, tokens * heads * headDim, 1));
    numbers.put("w", OpCases.normal(r, headDim, 1));
    numbers.put("table", OpCases.normal(r, tokens * headDim, 1));
    Map<String, float[]> apart = run(false, on, dtype, headDim, heads, numbers);
    run(true, on, dtype, headDim, heads, numbers)
        .forEach((name, y) -> assertThat(Arrays.equals(y, apart.get(name))).as(name).isTrue());
  }

  private static Map<String, float[]> run(
      boolean joined, String on, DType t, int headDim, int heads, Map<String, float[]> numbers) {
    long columns = (long) heads * headDim;
    long tokens = numbers.get("x").length / columns;
    Graph g = new Graph();
    Value x = g.named(Kind.WEIGHT, "x", t, Shape.of(tokens, columns));
    Value dy = g.named(Kind.WEIGHT, "dy", t, Shape.of(tokens, columns));
    Value w = g.named(Kind.WEIGHT, "w", DType.F32, Shape.of(headDim));
    Value table = g.named(Kind.WEIGHT, "table", DType.F32, Shape.of(tokens, headDim));
    Value normed = RmsNorm.of(g, "normed", x, Optional.empty(), w, 1e-5f).y();
    Value rstd = g.nodes().get(0).op().outputs().get(1);
    if (!joined) {
      Affine.of(g, x, 2, 1); // between the two
    }
    Value y = Rope.of(g, normed, table, headDim, Pairing.HALVES);
    Value back = g.like(x, "back");
    Value dx = g.like(x, "dx");
    g.add(new Rope(dy, table, back, headDim, Pairing.HALVES, true));
    g.add(new RmsNormBackward(back, Optional.empty(), x, w, rstd, dx, Optional.empty()));
    if (!joined) {
      g.result(back);
    }
    List<Value> made = List.of(y, rstd, dx);
    made.forEach(g::result);
    try (Device device = TestDevices.open(on);
        GraphRunner runner = new GraphRunner(g, device)) {
      numbers.forEach(runner::set);
      runner.run(Map.of());
      assertThat(runner.plan().ops()).hasSize(joined ? 2 : 5);
      Map<String, float[]> results = new LinkedHashMap<>();
      made.forEach(v -> results.put(v.name(), runner.result(v)));
      return results;
    }
  }

  /** Neighbours, heads of which only a part is turned, and norms that add a residual stay apart. */
  @ParameterizedTest
  @CsvSource({"NEIGHBOURS, 32, false", "HALVES, 16, false", "HALVES, 32, true"})
  void othersStayApart(Pairing pairing, int angles, boolean residual) {
    Graph g = new Graph();
    Value x = g.input("x", DType.F32, 3, 64);
    Value w = g.named(Kind.WEIGHT, "w", DType.F32, Shape.of(32));
    Value table = g.named(Kind.WEIGHT, "table", DType.F32, Shape.of(3, angles));
    Optional<Value> also = residual ? Optional.of(x) : Optional.empty();
    g.result(Rope.of(g, RmsNorm.of(g, "y", x, also, w, 1e-5f).y(), table, 32, pairing));
    try (Device device = TestDevices.open("cpu");
        GraphRunner runner = new GraphRunner(g, device)) {
      assertThat(runner.plan().ops()).hasSize(2);
    }
  }
}

package org.loranative.graph.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.testing.GraphRunner;
import org.loranative.testing.Seeded;
import org.loranative.testing.TestDevices;

/** Adapters that read the same x, with rows enough that K of their products is split. */
@ExtendWith(Seeded.class)
class LoraUpTest {
  private static final float SCALE = 0.75f;

  /** What fills rows up to whole chunks is nobody's, and no op's fault. */
  @ParameterizedTest
  @CsvSource({"cpu, F32", "cpu, BF16", "cuda-emu, F32", "cuda-emu, BF16"})
  void gapsAreNotJudged(String on, DType dtype, Random r) {
    Graph g = new Graph();
    Value x = g.named(Kind.INPUT, "x", dtype, Shape.of(5, 8));
    Value w = g.named(Kind.WEIGHT, "w", dtype, Shape.of(8, 8));
    List<LowRank> adapters = new ArrayList<>();
    Map<String, float[]> numbers = new HashMap<>(Map.of("w", OpCases.normal(r, 64, 1)));
    for (int i = 0; i < 3; i++) {
      Value a = g.named(Kind.PARAM, "a" + i, DType.F32, Shape.of(3, 8));
      Value b = g.named(Kind.PARAM, "b" + i, DType.F32, Shape.of(8, 3));
      adapters.add(LowRank.of(g, a, b, dtype));
      numbers.put("a" + i, OpCases.normal(r, 24, 1));
      numbers.put("b" + i, OpCases.normal(r, 24, 1));
    }
    LoraLinear.Setting alone = new LoraLinear.Setting(SCALE, 0, 0);
    g.result(LoraLinear.of(g, "alone", x, w, Optional.empty(), adapters.get(0), alone));
    LoraUp.Layer second = new LoraUp.Layer("second", w, Optional.empty(), adapters.get(1));
    LoraUp.Layer third = new LoraUp.Layer("third", w, Optional.empty(), adapters.get(2));
    LoraUp.of(g, x, List.of(second, third), SCALE).forEach(y -> g.result(y.get()));
    try (Device device = TestDevices.open(on);
        GraphRunner runner = new GraphRunner(g, device)) {
      numbers.forEach(runner::set);
      float[] sound = OpCases.normal(r, 40, 1);
      assertThat(runner.firstNotFinite(Map.of("x", sound))).isEmpty();
      sound[17] = Float.NaN;
      assertThat(runner.firstNotFinite(Map.of("x", sound)).orElseThrow()).contains("alone");
    }
  }

  /** Within a wide tile, beyond it, and ranks that are filled up. */
  @ParameterizedTest
  @CsvSource({"BF16, 16, 16, 0", "BF16, 16, 16, 16", "F16, 5, 24, 3", "BF16, 40, 8, 1"})
  void manyRows(DType dtype, int first, int second, int third, Random r) {
    int m = 300 + r.nextInt(300);
    int in = 8 * (1 + r.nextInt(30));
    int out = 8 * (1 + r.nextInt(20));
    List<Integer> ranks = new ArrayList<>(List.of(first, second));
    if (third > 0) {
      ranks.add(third);
    }
    Map<String, float[]> numbers = new HashMap<>();
    List<String> leaves = new ArrayList<>(List.of("x"));
    numbers.put("x", OpCases.normal(r, m * in, 1));
    numbers.put("dy", OpCases.normal(r, m * out, 1));
    for (int i = 0; i < ranks.size(); i++) {
      numbers.put("w" + i, OpCases.normal(r, out * in, 0.1));
      numbers.put("a" + i, OpCases.normal(r, ranks.get(i) * in, 0.1));
      numbers.put("b" + i, OpCases.normal(r, out * ranks.get(i), 0.1));
      leaves.addAll(List.of("a" + i, "b" + i));
    }
    new OpRun(
            (g, t) -> {
              Value x = OpCase.leaf(g, "x", t, m, in);
              List<LoraUp.Layer> layers = new ArrayList<>();
              for (int i = 0; i < ranks.size(); i++) {
                Value a = g.named(Kind.PARAM, "a" + i, DType.F32, Shape.of(ranks.get(i), in));
                Value b = g.named(Kind.PARAM, "b" + i, DType.F32, Shape.of(out, ranks.get(i)));
                Value w = g.named(Kind.WEIGHT, "w" + i, t, Shape.of(out, in));
                layers.add(new LoraUp.Layer("y" + i, w, Optional.empty(), LowRank.of(g, a, b, t)));
              }
              List<Value> ys = LoraUp.of(g, x, layers, SCALE).stream().map(Supplier::get).toList();
              Value sum = ys.get(0);
              for (Value y : ys.subList(1, ys.size())) {
                sum = Add.of(g, sum, y);
              }
              return sum;
            },
            numbers,
            Map.of(),
            leaves)
        .compare(dtype, String.format("M %d in %d out %d ranks %s", m, in, out, ranks));
  }
}

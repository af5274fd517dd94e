package org.loranative.graph.ops;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.testing.Seeded;

/** Adapters that read the same x, with rows enough that K of their products is split. */
@ExtendWith(Seeded.class)
class LoraUpTest {
  private static final float SCALE = 0.75f;

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
              List<Value> ys = LoraUp.of(g, x, layers, SCALE);
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

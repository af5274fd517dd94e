package org.loranative.graph.ops;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.testing.Seeded;

/**
 * Kernels that move eight numbers a thread: rows of whole eights and ragged ones, rows that a warp
 * holds, a block holds, or nobody does, and group norms of several blocks.
 */
@ExtendWith(Seeded.class)
class EightsTest {
  @ParameterizedTest
  @CsvSource({
    "128, BF16",
    "1000, F16",
    "1021, F32",
    "1032, BF16",
    "4096, F32",
    "4100, BF16",
    "8200, BF16",
    "8201, F32"
  })
  void norms(int columns, DType dtype, Random r) {
    int rows = 2 + r.nextInt(5);
    Map<String, float[]> numbers = new HashMap<>();
    for (String name : List.of("x", "r", "dy")) {
      numbers.put(name, OpCases.normal(r, rows * columns, 1));
    }
    numbers.put("w", OpCases.normal(r, columns, 1));
    numbers.put("b", OpCases.normal(r, columns, 1));
    new OpRun(
            (g, t) -> {
              Value x = OpCase.leaf(g, "x", t, rows, columns);
              Value other = OpCase.leaf(g, "r", t, rows, columns);
              return RmsNorm.of(g, "y", x, Optional.of(other), vector(g, "w", columns), 1e-5f).y();
            },
            without(numbers, "b"),
            Map.of(),
            List.of("x", "r"))
        .compare(dtype, "rms_norm of " + rows + " x " + columns);
    new OpRun(
            (g, t) ->
                LayerNorm.of(
                    g,
                    "y",
                    OpCase.leaf(g, "x", t, rows, columns),
                    vector(g, "w", columns),
                    vector(g, "b", columns),
                    1e-5f),
            without(numbers, "r"),
            Map.of(),
            List.of("x"))
        .compare(dtype, "layer_norm of " + rows + " x " + columns);
  }

  @ParameterizedTest
  @CsvSource({"1, 450, 40, 4, BF16", "2, 700, 320, 32, F16", "2, 300, 63, 3, F32"})
  void groupNorm(int images, int pixels, int channels, int groups, DType dtype, Random r) {
    int n = images * pixels * channels;
    float[] x = OpCases.normal(r, n, 1);
    for (int i = 0; i < n; i++) {
      x[i] += 5; // a mean that sums of squares would lose digits by
    }
    new OpRun(
            (g, t) ->
                GroupNorm.of(
                    g,
                    "y",
                    OpCase.leaf(g, "x", t, (long) images * pixels, channels),
                    vector(g, "w", channels),
                    vector(g, "b", channels),
                    new GroupNorm.Setting(images, groups, 1e-5f, true)),
            Map.of(
                "x", x,
                "w", OpCases.normal(r, channels, 1),
                "b", OpCases.normal(r, channels, 1),
                "dy", OpCases.normal(r, n, 1)),
            Map.of(),
            List.of("x"))
        .compare(dtype, images + " x " + pixels + " x " + channels);
  }

  @ParameterizedTest
  @CsvSource({"64, BF16", "200, F32", "68, F16"})
  void images(int channels, DType dtype, Random r) {
    int pixels = 6 * 10;
    Map<String, float[]> numbers =
        Map.of(
            "x", OpCases.normal(r, 2 * pixels * channels, 1),
            "t", OpCases.normal(r, 2 * channels, 1),
            "dy", OpCases.normal(r, 2 * 4 * pixels * channels, 1));
    Upsample.Setting s = new Upsample.Setting(2, 6, 10, 12, 20);
    new OpRun(
            (g, t) -> {
              Value x = OpCase.leaf(g, "x", t, 2 * pixels, channels);
              Value rows = OpCase.leaf(g, "t", t, 2, channels);
              return Upsample.of(g, AddRows.of(g, x, rows), s);
            },
            numbers,
            Map.of(),
            List.of("x", "t"))
        .compare(dtype, channels + " channels");
  }

  @ParameterizedTest
  @CsvSource({"32, BF16", "48, F32", "20, F16"})
  void columns(int half, DType dtype, Random r) {
    int rows = 5;
    int heads = 3;
    int width = heads * 2 * half;
    int[] positions = r.ints(rows, 0, 50).toArray();
    Map<String, float[]> numbers =
        Map.of(
            "x", OpCases.normal(r, rows * 2 * width, 1),
            "f", OpCases.normal(r, half, 0.1),
            "dy", OpCases.normal(r, rows * width / 2, 1));
    new OpRun(
            (g, t) -> {
              Value both = OpCase.leaf(g, "x", t, rows, 2 * width);
              Value glu = PackedGlu.of(g, both, true, Act.SILU);
              Value table =
                  RopeTable.of(
                      g,
                      g.input("positions", DType.I32, rows),
                      g.named(Kind.STATE, "f", DType.F32, Shape.of(half)),
                      1);
              Value turned = Rope.of(g, glu, table, 2 * half, Rope.Pairing.HALVES);
              List<Value> parts = Split.of(g, turned, width / 2, width / 2);
              return Activation.of(g, Glu.of(g, parts.get(0), parts.get(1), Act.GELU), Act.SILU);
            },
            numbers,
            Map.of("positions", positions),
            List.of("x"))
        .compare(dtype, rows + " x " + width);
  }

  private static Value vector(Graph g, String name, int n) {
    return g.named(Kind.STATE, name, DType.F32, Shape.of(n));
  }

  private static Map<String, float[]> without(Map<String, float[]> numbers, String name) {
    Map<String, float[]> rest = new HashMap<>(numbers);
    rest.remove(name);
    return rest;
  }
}

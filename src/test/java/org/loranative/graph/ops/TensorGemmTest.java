package org.loranative.graph.ops;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.io.DType;
import org.loranative.testing.Seeded;

/**
 * Products on the tensor cores through lora_linear, which has all of them: over the edges of tiles,
 * ranks that are no whole chunk, and depths long enough that K is split.
 */
@ExtendWith(Seeded.class)
class TensorGemmTest {
  @ParameterizedTest
  @CsvSource({
    "BF16, 16, false",
    "F16, 16, true",
    "BF16, 4, true",
    "BF16, 40, false",
    "F16, 1, false"
  })
  void loraLinear(DType dtype, int rank, boolean deep, Random r) {
    int m = 1 + r.nextInt(deep ? 600 : 150);
    int in = 8 * (1 + r.nextInt(deep ? 70 : 20));
    int out = 8 * (1 + r.nextInt(deep ? 70 : 20));
    compare(dtype, m, in, out, rank, r);
  }

  /** Enough rows and columns for the large tile, forward and backward to x. */
  @ParameterizedTest
  @CsvSource({"BF16, 40, 1500", "F16, 1500, 40"})
  void large(DType dtype, int in, int out, Random r) {
    compare(dtype, 1400 + r.nextInt(100), in / 8 * 8, out / 8 * 8, 8, r);
  }

  private static void compare(DType dtype, int m, int in, int out, int rank, Random r) {
    new OpRun(
            (g, t) ->
                LoraLinear.of(
                    g,
                    "y",
                    OpCase.leaf(g, "x", t, m, in),
                    g.named(Kind.WEIGHT, "w", t, Shape.of(out, in)),
                    Optional.of(g.named(Kind.WEIGHT, "bias", DType.F32, Shape.of(out))),
                    LowRank.of(
                        g,
                        g.named(Kind.PARAM, "a", DType.F32, Shape.of(rank, in)),
                        g.named(Kind.PARAM, "b", DType.F32, Shape.of(out, rank)),
                        t),
                    new LoraLinear.Setting(0.75f, 0, 0)),
            Map.of(
                "x", OpCases.normal(r, m * in, 1),
                "w", OpCases.normal(r, out * in, 0.1),
                "bias", OpCases.normal(r, out, 1),
                "a", OpCases.normal(r, rank * in, 0.1),
                "b", OpCases.normal(r, out * rank, 0.1),
                "dy", OpCases.normal(r, m * out, 1)),
            Map.of(),
            List.of("x", "a", "b"))
        .compare(dtype, String.format("M %d in %d out %d rank %d", m, in, out, rank));
  }
}

package org.loranative.graph.ops;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.loranative.device.CpuDevice;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.testing.Seeded;

/**
 * Products with frozen matrices in blocks, forward and backward to x, against the same with the
 * numbers that the blocks stand for: every format, over the edges of tiles, with the low-rank term.
 */
@ExtendWith(Seeded.class)
class BlockGemmTest {
  static Stream<DType> formats() {
    return Stream.of(DType.values()).filter(DType::isBlocks);
  }

  @ParameterizedTest
  @MethodSource("formats")
  void loraLinear(DType format, Random r) {
    int unit = format.elementsPerBlock;
    int m = 1 + r.nextInt(100);
    int in = unit * (1 + r.nextInt(Math.max(1, 384 / unit)));
    int out = 8 * (1 + r.nextInt(20));
    compare(format, m, in, out, 5, everywhere(), r);
  }

  /**
   * Enough rows and columns for the large tile: forward in the first, backward in the second; and
   * so many rows that the matrix is dequantized for all of them.
   */
  @ParameterizedTest
  @CsvSource({
    "NF4, 900, 64, 2100",
    "Q6_K, 900, 2304, 40",
    "NF4, 1400, 64, 1500",
    "Q6_K, 1400, 1536, 40",
    "Q4_0, 1400, 1504, 40",
    "Q5_K, 1400, 256, 1500"
  })
  void large(DType format, int rows, int in, int out, Random r) {
    List<Place> cards = List.of(new Place("cuda-check", DType.BF16));
    compare(format, rows + r.nextInt(100), in, out / 8 * 8, 8, cards, r);
  }

  /** More rows than one tile of the CPU's buffer, and depth that a card splits. */
  @ParameterizedTest
  @EnumSource(names = {"NF4", "Q4_1", "Q4_K"})
  void deep(DType format, Random r) {
    compare(format, 20, 1024, 840, 4, everywhere(), r);
  }

  /** The matrix by itself, then a product that reads its numbers. */
  @ParameterizedTest
  @MethodSource("formats")
  void dequantizedMatrix(DType format, Random r) {
    int unit = format.elementsPerBlock;
    int m = 1 + r.nextInt(40);
    int in = unit * (1 + r.nextInt(Math.max(1, 384 / unit)));
    int out = 8 * (1 + r.nextInt(20));
    BlockMatrix w = BlockMatrix.random(format, out * in, r);
    Map<String, float[]> numbers =
        Map.of(
            "x", OpCases.normal(r, m * in, 1),
            "w", w.numbers(),
            "dy", OpCases.normal(r, m * out, 1));
    OpRun.Builder plain =
        (g, t) -> product(g, t, m, g.named(Kind.WEIGHT, "w", t, Shape.of(out, in)));
    OpRun.Builder blocks =
        (g, t) -> {
          Value matrix = g.named(Kind.WEIGHT, "w", format, Shape.of(out, in));
          return product(g, t, m, DequantizeMatrix.of(g, matrix, t));
        };
    Map<String, float[]> expected =
        new OpRun(plain, numbers, Map.of(), List.of("x")).on("cpu", DType.F32);
    OpRun run = new OpRun(blocks, numbers, Map.of(), List.of("x"), Map.of("w", w.bytes()));
    for (Place place : everywhere()) {
      if (place.device().equals("cpu") || place.dtype() != DType.F32) {
        run.compare(
            expected,
            List.of(place.device()),
            place.dtype(),
            String.format("%s M %d in %d out %d", format, m, in, out));
      }
    }
  }

  private static Value product(Graph g, DType t, int m, Value w) {
    Value x = OpCase.leaf(g, "x", t, m, w.shape().last());
    return Linear.of(g, "y", x, w, Optional.empty(), t);
  }

  private record Place(String device, DType dtype) {}

  private static List<Place> everywhere() {
    List<Place> places = new ArrayList<>();
    places.add(new Place("cpu", DType.F32));
    if (CpuDevice.hasBf16()) {
      places.add(new Place("cpu", DType.BF16));
    }
    places.add(new Place("cuda-emu", DType.F16));
    places.add(new Place("cuda-check", DType.BF16));
    places.add(new Place("cuda-check", DType.F32));
    return places;
  }

  private static void compare(
      DType format, int m, int in, int out, int rank, List<Place> places, Random r) {
    BlockMatrix w = BlockMatrix.random(format, out * in, r);
    Map<String, float[]> numbers =
        Map.of(
            "x", OpCases.normal(r, m * in, 1),
            "w", w.numbers(),
            "bias", OpCases.normal(r, out, 1),
            "a", OpCases.normal(r, rank * in, 0.1),
            "b", OpCases.normal(r, out * rank, 0.1),
            "dy", OpCases.normal(r, m * out, 1));
    List<String> leaves = List.of("x", "a", "b");
    Map<String, float[]> expected =
        new OpRun(builder(m, in, out, rank, Optional.empty()), numbers, Map.of(), leaves)
            .on("cpu", DType.F32);
    OpRun blocks =
        new OpRun(
            builder(m, in, out, rank, Optional.of(format)),
            numbers,
            Map.of(),
            leaves,
            Map.of("w", w.bytes()));
    for (Place place : places) {
      blocks.compare(
          expected,
          List.of(place.device()),
          place.dtype(),
          String.format("%s M %d in %d out %d", format, m, in, out));
    }
  }

  private static OpRun.Builder builder(int m, int in, int out, int rank, Optional<DType> format) {
    return (g, t) ->
        LoraLinear.of(
            g,
            "y",
            OpCase.leaf(g, "x", t, m, in),
            g.named(Kind.WEIGHT, "w", format.orElse(t), Shape.of(out, in)),
            Optional.of(g.named(Kind.WEIGHT, "bias", DType.F32, Shape.of(out))),
            LowRank.of(
                g,
                g.named(Kind.PARAM, "a", DType.F32, Shape.of(rank, in)),
                g.named(Kind.PARAM, "b", DType.F32, Shape.of(out, rank)),
                t),
            new LoraLinear.Setting(0.75f, 0, 0));
  }
}

package org.loranative.graph.ops;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.io.DType;
import org.loranative.testing.Seeded;
import org.loranative.testing.TestDevices;

/**
 * DoRA's norms of frozen matrices in blocks, against those of the numbers that the blocks stand
 * for: every format, rows shorter and longer than a kernel's block walks at once.
 */
@ExtendWith(Seeded.class)
class BlockNormTest {
  static Stream<DType> formats() {
    return Stream.of(DType.values()).filter(DType::isBlocks);
  }

  @ParameterizedTest
  @MethodSource("formats")
  void doraNorm(DType format, Random r) {
    int unit = format.elementsPerBlock;
    compare(format, unit * (1 + r.nextInt(Math.max(1, 384 / unit))), 1 + r.nextInt(40), r);
    compare(format, (2049 + r.nextInt(700) + unit - 1) / unit * unit, 3, r);
  }

  private static void compare(DType format, int in, int out, Random r) {
    int rank = 1 + r.nextInt(6);
    BlockMatrix w = BlockMatrix.random(format, out * in, r);
    Map<String, float[]> numbers =
        Map.of(
            "w", w.numbers(),
            "a", OpCases.normal(r, rank * in, 0.1),
            "b", OpCases.normal(r, out * rank, 0.1),
            "dy", OpCases.normal(r, out, 1));
    Map<String, float[]> expected =
        new OpRun(builder(in, out, rank, Optional.empty()), numbers, Map.of(), List.of())
            .on("cpu", DType.F32);
    new OpRun(
            builder(in, out, rank, Optional.of(format)),
            numbers,
            Map.of(),
            List.of(),
            Map.of("w", w.bytes()))
        .compare(
            expected,
            TestDevices.OPS,
            DType.F32,
            String.format("%s in %d out %d rank %d", format, in, out, rank));
  }

  private static OpRun.Builder builder(int in, int out, int rank, Optional<DType> format) {
    return (g, t) ->
        DoraNorm.of(
            g,
            "norm",
            g.named(Kind.WEIGHT, "w", format.orElse(t), Shape.of(out, in)),
            g.named(Kind.PARAM, "a", DType.F32, Shape.of(rank, in)),
            g.named(Kind.PARAM, "b", DType.F32, Shape.of(out, rank)),
            0.75f);
  }
}

package org.loranative.graph.ops;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.loranative.device.CpuDevice;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.testing.Seeded;

/** Experts in blocks of every format against the numbers that their blocks stand for. */
@ExtendWith(Seeded.class)
class ExpertBlocksTest {
  private static final int EXPERTS = 5;
  private static final int CHOSEN = 2;

  static Stream<DType> formats() {
    return Stream.of(DType.values()).filter(DType::isBlocks);
  }

  @ParameterizedTest
  @MethodSource("formats")
  void products(DType format, Random r) {
    int m = 1 + r.nextInt(120);
    int in = format.elementsPerBlock * (1 + r.nextInt(Math.max(1, 256 / format.elementsPerBlock)));
    int out = 8 * (1 + r.nextInt(12));
    BlockMatrix w = BlockMatrix.random(format, EXPERTS * out * in, r);
    Map<String, float[]> numbers =
        Map.of(
            "z", logits(m, r),
            "x", OpCases.normal(r, (long) m * in, 1),
            "w", w.numbers(),
            "dy", OpCases.normal(r, (long) m * out, 1));
    List<String> leaves = List.of("x");
    Map<String, float[]> expected =
        new OpRun(builder(m, in, out, Optional.empty()), numbers, Map.of(), leaves)
            .on("cpu", DType.F32);
    OpRun blocks =
        new OpRun(
            builder(m, in, out, Optional.of(format)),
            numbers,
            Map.of(),
            leaves,
            Map.of("w", w.bytes()));
    String what = String.format("%s M %d in %d out %d, %s", format, m, in, out, Seeded.again());
    blocks.compare(expected, List.of("cpu", "cuda-check"), DType.F32, what);
    if (CpuDevice.hasBf16()) {
      blocks.compare(expected, List.of("cpu"), DType.BF16, what);
    }
    blocks.compare(expected, List.of("cuda-check"), DType.BF16, what);
    blocks.compare(expected, List.of("cuda-emu"), DType.F16, what);
  }

  /** Far apart, so that no rounding changes a choice. */
  private static float[] logits(int m, Random r) {
    float[] z = new float[m * EXPERTS];
    for (int i = 0; i < m; i++) {
      List<Integer> ladder =
          new java.util.ArrayList<>(IntStream.range(0, EXPERTS).boxed().toList());
      Collections.shuffle(ladder, r);
      for (int e = 0; e < EXPERTS; e++) {
        z[i * EXPERTS + e] = ladder.get(e) * 0.5f;
      }
    }
    return z;
  }

  private static OpRun.Builder builder(int m, int in, int out, Optional<DType> format) {
    return (Graph g, DType t) -> {
      Route route = Route.of(g, OpCase.leaf(g, "z", t, m, EXPERTS), CHOSEN, true);
      Value rows = GatherRows.of(g, OpCase.leaf(g, "x", t, m, in), route);
      Value w = g.named(Kind.WEIGHT, "w", format.orElse(t), Shape.of(EXPERTS, out, in));
      return CombineRows.of(g, ExpertLinear.of(g, "y", rows, w, route), route);
    };
  }
}

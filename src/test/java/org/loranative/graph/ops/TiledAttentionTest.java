package org.loranative.graph.ops;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.loranative.UserException;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.graph.Planner;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.testing.Seeded;
import org.loranative.testing.TestDevices;

/** Attention on the tensor cores over several tiles of queries and keys, every width of head. */
@ExtendWith(Seeded.class)
class TiledAttentionTest {
  @ParameterizedTest
  @CsvSource({
    "64, BF16, 0, 0", "64, F16, 50, 0", "16, BF16, 0, 2", "40, F16, 0, 0", "96, BF16, 0, 0",
    "80, BF16, 70, 3", "128, BF16, 0, 0", "128, F16, 33, 0", "256, BF16, 0, 0", "256, F16, 80, 4",
    "512, BF16, 0, 0", "264, F16, 90, 3"
  })
  void causal(int dim, DType dtype, long window, float softcap, Random r) {
    compareCausal(100 + r.nextInt(90), dim, dtype, window, softcap, r);
  }

  /**
   * Walks over more tiles than there are stages for them in shared memory, of Hopper's kernels too.
   */
  @ParameterizedTest
  @CsvSource({"64, BF16, 0, 0", "96, BF16, 300, 0", "128, F16, 0, 9", "256, BF16, 0, 0"})
  void longWalks(int dim, DType dtype, long window, float softcap, Random r) {
    compareCausal(520 + r.nextInt(130), dim, dtype, window, softcap, r);
  }

  private static void compareCausal(
      int m, int dim, DType dtype, long window, float softcap, Random r) {
    int kvHeads = 1 + r.nextInt(2);
    int heads = kvHeads * (1 + r.nextInt(2));
    int[] start = new int[m];
    for (int i = 1; i < m; i++) {
      start[i] = r.nextInt(m / 2) == 0 ? i : start[i - 1];
    }
    float scale = (float) (1 / Math.sqrt(dim));
    compare(
        dtype,
        m,
        m,
        Attention.Setting.causal(heads, kvHeads, dim, scale, softcap, window, m),
        start,
        r);
  }

  /**
   * Cross-attention: groups of queries that end in the middle of tiles, 77 keys each, without
   * padding and with.
   */
  @ParameterizedTest
  @CsvSource({"40, BF16", "64, F16", "128, BF16", "512, BF16"})
  void full(int dim, DType dtype, Random r) {
    int groups = 2 + r.nextInt(2);
    int queries = 30 + r.nextInt(60);
    Attention.Setting setting = Attention.Setting.full(2, dim, queries, 77);
    compare(dtype, groups * queries, groups * 77, setting, new int[0], r);
    compare(dtype, groups * queries, groups * 77, setting, r.ints(groups, 0, 77).toArray(), r);
  }

  @Test
  void refusesWiderHeadsWhenItPlans() {
    Graph g = new Graph();
    Value q = g.input("q", DType.BF16, 4, 640);
    Attention.of(g, "o", q, q, q, Attention.Setting.full(1, 640, 4, 4));
    try (Device device = TestDevices.open("cuda-emu")) {
      assertThatThrownBy(() -> Planner.plan(g, device))
          .isInstanceOf(UserException.class)
          .hasMessage(
              "cuda-emu cannot compute o: heads of 640 channels; on a card at most 512. Set device:"
                  + " cpu for this model.");
    }
  }

  private static void compare(
      DType dtype, int m, int keys, Attention.Setting setting, int[] bounds, Random r) {
    long width = setting.heads() * setting.headDim();
    long kvWidth = setting.kvHeads() * setting.headDim();
    new OpRun(
            (g, t) -> {
              Value q = OpCase.leaf(g, "q", t, m, width);
              Value k = OpCase.leaf(g, "k", t, keys, kvWidth);
              Value v = OpCase.leaf(g, "v", t, keys, kvWidth);
              return bounds.length == 0
                  ? Attention.of(g, "o", q, k, v, setting)
                  : Attention.of(
                      g,
                      "o",
                      q,
                      k,
                      v,
                      Optional.of(g.input("bounds", DType.I32, bounds.length)),
                      setting);
            },
            Map.of(
                "q", OpCases.normal(r, m * width, 1),
                "k", OpCases.normal(r, keys * kvWidth, 1),
                "v", OpCases.normal(r, keys * kvWidth, 1),
                "dy", OpCases.normal(r, m * width, 1)),
            bounds.length == 0 ? Map.of() : Map.of("bounds", bounds),
            List.of("q", "k", "v"))
        .compare(dtype, "M " + m + ", " + setting);
  }
}

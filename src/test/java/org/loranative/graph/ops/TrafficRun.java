package org.loranative.graph.ops;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.loranative.device.Device;
import org.loranative.graph.Autodiff;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.testing.GraphRunner;
import org.loranative.testing.TestDevices;

/**
 * Runs the hot kernels on the check emulator, in a process of its own: {@code LN_EMU_TRAFFIC} names
 * the file that takes their bank conflicts and sectors. {@code docs/kernels.md} is made from it
 * too.
 */
final class TrafficRun {
  private static final String DEVICE = "cuda-check";

  private TrafficRun() {}

  public static void main(String[] args) {
    Random r = new Random(1);
    for (DType format : List.of(DType.BF16, DType.NF4, DType.Q4_1, DType.Q6_K)) {
      linear(r, format, 200, 512, 256); // the small tile
    }
    for (DType format : List.of(DType.BF16, DType.NF4)) {
      linear(r, format, 1000, 2048, 64); // the large tile backward
      linear(r, format, 1000, 64, 2048); // and forward
    }
    convolution(r, 1, 24, 64, 64);
    convolution(r, 2, 48, 64, 384);
    convolution(r, 2, 48, 384, 64);
    for (int head : List.of(40, 64, 80, 96, 128, 160, 256)) {
      attention(r, 192, head, 0);
      attention(r, 128, head, 77);
    }
    head(r, 300, 64, 1000);
    MemoryBoundRun.all(r);
  }

  /** The loss is the op's own: it ends the graph. */
  private static void head(Random r, int rows, int columns, int vocab) {
    DType t = DType.BF16;
    Graph g = new Graph();
    Value h = OpCase.leaf(g, "h", t, rows, columns);
    Value w = g.named(Kind.WEIGHT, "w", t, Shape.of(vocab, columns));
    LinearCrossEntropy.of(g, h, w, g.input("labels", DType.I32, rows), 0, true);
    Autodiff.backward(g);
    try (Device device = TestDevices.open(DEVICE);
        GraphRunner runner = new GraphRunner(g, device)) {
      runner.set("h", OpCases.normal(r, rows * columns, 1));
      runner.set("w", OpCases.normal(r, vocab * columns, 0.1));
      runner.setBytes("step", b -> OpCases.step(rows).write(b));
      runner.run(Map.of("labels", r.ints(rows, 0, vocab).toArray()));
    }
  }

  private static void linear(Random r, DType format, int m, int in, int out) {
    int rank = 16;
    boolean blocks = format.isBlocks();
    BlockMatrix w =
        BlockMatrix.random(blocks ? format : DType.Q8_0, out * in, r); // numbers for either
    new OpRun(
            (g, t) ->
                LoraLinear.of(
                    g,
                    "y",
                    OpCase.leaf(g, "x", t, m, in),
                    g.named(Kind.WEIGHT, "w", blocks ? format : t, Shape.of(out, in)),
                    Optional.empty(),
                    LowRank.of(
                        g,
                        g.named(Kind.PARAM, "a", DType.F32, Shape.of(rank, in)),
                        g.named(Kind.PARAM, "b", DType.F32, Shape.of(out, rank)),
                        t),
                    new LoraLinear.Setting(0.75f, 0, 0)),
            Map.of(
                "x", OpCases.normal(r, m * in, 1),
                "w", w.numbers(),
                "a", OpCases.normal(r, rank * in, 0.1),
                "b", OpCases.normal(r, out * rank, 0.1),
                "dy", OpCases.normal(r, m * out, 1)),
            Map.of(),
            List.of("x"),
            blocks ? Map.of("w", w.bytes()) : Map.of())
        .on(DEVICE, DType.BF16);
  }

  private static void convolution(Random r, int images, int side, int in, int out) {
    Conv2d.Setting s = Conv2d.Setting.same(images, side, side, 3, 1);
    int pixels = images * side * side;
    new OpRun(
            (g, t) ->
                Conv2d.of(
                    g,
                    "y",
                    OpCase.leaf(g, "x", t, pixels, in),
                    g.named(Kind.WEIGHT, "w", t, Shape.of(out, 3, 3, in)),
                    Optional.empty(),
                    s),
            Map.of(
                "x", OpCases.normal(r, pixels * in, 1),
                "w", OpCases.normal(r, out * 9 * in, 0.1),
                "dy", OpCases.normal(r, pixels * out, 1)),
            Map.of(),
            List.of("x"))
        .on(DEVICE, DType.BF16);
  }

  /** One document, or full attention to {@code keys} others. */
  private static void attention(Random r, int m, int head, int keys) {
    int heads = 2;
    int n = keys == 0 ? m : keys;
    float scale = (float) (1 / Math.sqrt(head));
    Attention.Setting setting =
        keys == 0
            ? Attention.Setting.causal(heads, heads, head, scale, 0, 0, m)
            : Attention.Setting.full(heads, head, m, keys);
    Map<String, int[]> ints = keys == 0 ? Map.of("doc_start", new int[m]) : Map.of();
    new OpRun(
            (g, t) -> {
              var q = OpCase.leaf(g, "q", t, m, (long) heads * head);
              var k = OpCase.leaf(g, "k", t, n, (long) heads * head);
              var v = OpCase.leaf(g, "v", t, n, (long) heads * head);
              return keys == 0
                  ? Attention.of(g, "o", q, k, v, g.input("doc_start", DType.I32, m), setting)
                  : Attention.of(g, "o", q, k, v, setting);
            },
            Map.of(
                "q", OpCases.normal(r, m * heads * head, 1),
                "k", OpCases.normal(r, n * heads * head, 1),
                "v", OpCases.normal(r, n * heads * head, 1),
                "dy", OpCases.normal(r, m * heads * head, 1)),
            ints,
            List.of("q", "k", "v"))
        .on(DEVICE, DType.BF16);
  }
}

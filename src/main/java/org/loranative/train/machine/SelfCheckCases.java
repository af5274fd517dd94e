package org.loranative.train.machine;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.loranative.graph.Autodiff;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Act;
import org.loranative.graph.ops.Attention;
import org.loranative.graph.ops.Cast;
import org.loranative.graph.ops.Conv2d;
import org.loranative.graph.ops.Glu;
import org.loranative.graph.ops.GroupNorm;
import org.loranative.graph.ops.LayerNorm;
import org.loranative.graph.ops.LinearCrossEntropy;
import org.loranative.graph.ops.LoraLinear;
import org.loranative.graph.ops.LowRank;
import org.loranative.graph.ops.Mse;
import org.loranative.graph.ops.RmsNorm;
import org.loranative.io.DType;

/**
 * What {@link SelfCheck} computes: each a loss and its gradients, small, and together what runs are
 * made of. Every value is named after its part; those in f32 are cast to the case's dtype.
 */
final class SelfCheckCases {
  static final int TOKENS = 80;

  /** Several tiles of the head's product, and an end within one. */
  static final int VOCAB = 525;

  /** Of attention on the tensor cores: several tiles of queries and of keys. */
  private static final int WALKED_TOKENS = 300;

  private static final int WIDTH = 128;
  private static final int HEADS = 2;
  private static final int RANK = 4;

  /** The widths of a head that attention has tiles for. */
  private static final List<Integer> HEAD_DIMS = List.of(64, 96, 128, 160, 256, 512);

  /** Rows, and the wider side of a matrix, whose products take the large tile. */
  private static final int MANY_ROWS = 1408;

  private static final int MANY_COLUMNS = 1536;

  private static final List<DType> EVERY = List.of(DType.F32, DType.BF16);
  private static final List<DType> TENSOR_CORES = List.of(DType.BF16);

  /** A graph in any of some dtypes. */
  record Case(String name, List<DType> dtypes, Builder builder) {
    Graph graph(DType dtype) {
      SelfCheckCases parts = new SelfCheckCases(dtype);
      builder.build(parts);
      Autodiff.backward(parts.g);
      return parts.g;
    }
  }

  private interface Builder {
    void build(SelfCheckCases parts);
  }

  private final DType dtype;
  private final Graph g = new Graph();

  private SelfCheckCases(DType dtype) {
    this.dtype = dtype;
  }

  static List<Case> all() {
    List<Case> cases = new ArrayList<>();
    cases.add(new Case("a language model's step", EVERY, SelfCheckCases::languageStep));
    cases.add(new Case("an image model's step", EVERY, SelfCheckCases::imageStep));
    for (int width : HEAD_DIMS) {
      cases.add(
          new Case("attention in heads of " + width, EVERY, p -> p.causalAttention(width, TOKENS)));
      cases.add(
          new Case(
              "attention over " + WALKED_TOKENS + " tokens in heads of " + width,
              TENSOR_CORES,
              p -> p.causalAttention(width, WALKED_TOKENS)));
    }
    for (DType format : DType.values()) {
      if (format.isBlocks()) {
        cases.add(
            new Case(
                "a layer in " + format,
                EVERY,
                p -> p.squared(p.adapted("y", p.x(TOKENS, 256), 256, format))));
      }
    }
    for (DType format : List.of(DType.BF16, DType.NF4)) {
      cases.add(
          new Case(
              "a large layer in " + format, TENSOR_CORES, p -> p.large(format, 64, MANY_COLUMNS)));
      cases.add(
          new Case(
              "a large gradient in " + format,
              TENSOR_CORES,
              p -> p.large(format, MANY_COLUMNS, 64)));
    }
    cases.add(new Case("a large gated unit", TENSOR_CORES, SelfCheckCases::largeUnit));
    return cases;
  }

  private void languageStep() {
    Value norm = g.named(Kind.STATE, "norm", DType.F32, Shape.of(WIDTH));
    Value h = RmsNorm.of(g, "norm", x(TOKENS, WIDTH), Optional.empty(), norm, 1e-5f).y();
    Value o =
        Attention.of(
            g,
            "o",
            adapted("q", h, WIDTH, dtype),
            adapted("k", h, WIDTH, dtype),
            adapted("v", h, WIDTH, dtype),
            g.named(Kind.STATE, "doc_start", DType.I32, Shape.of(TOKENS)),
            Attention.Setting.causal(HEADS, HEADS, WIDTH / HEADS, 0.125f, 0, 0, TOKENS));
    Value y = Glu.of(g, adapted("gate", o, WIDTH, dtype), o, Act.SILU);
    Value labels = g.named(Kind.STATE, "labels", DType.I32, Shape.of(TOKENS));
    LinearCrossEntropy.of(g, y, frozen("head", VOCAB, WIDTH), labels, 0, true);
  }

  private void imageStep() {
    int side = 12;
    int channels = 64;
    int pixels = side * side;
    Value h = x(pixels, channels);
    Value normed =
        GroupNorm.of(
            g,
            "group_norm",
            h,
            vector("group_norm.w", channels),
            vector("group_norm.b", channels),
            new GroupNorm.Setting(1, 8, 1e-5f, true));
    Value patch =
        Conv2d.of(
            g,
            "conv",
            normed,
            frozen("conv.w", channels, 3, 3, channels),
            Optional.of(vector("conv.b", channels)),
            Conv2d.Setting.same(1, side, side, 3, 1));
    Value rows =
        LayerNorm.of(
            g,
            "layer_norm",
            patch,
            vector("layer_norm.w", channels),
            vector("layer_norm.b", channels),
            1e-5f);
    squared(
        Attention.of(
            g,
            "o",
            adapted("q", rows, channels, dtype),
            adapted("k", rows, channels, dtype),
            adapted("v", rows, channels, dtype),
            Attention.Setting.full(1, channels, pixels, pixels)));
  }

  private void causalAttention(int width, int tokens) {
    long columns = (long) HEADS * width;
    float scale = (float) (1 / Math.sqrt(width));
    squared(
        Attention.of(
            g,
            "o",
            leaf("q", tokens, columns),
            leaf("k", tokens, columns),
            leaf("v", tokens, columns),
            g.named(Kind.STATE, "doc_start", DType.I32, Shape.of(tokens)),
            Attention.Setting.causal(HEADS, HEADS, width, scale, 0, 0, tokens)));
  }

  private void large(DType format, int in, int out) {
    squared(adapted("y", x(MANY_ROWS, in), out, format.isBlocks() ? format : dtype));
  }

  /** Forward and backward in the epilogues of the products beside it. */
  private void largeUnit() {
    Value up = adapted("up", x(MANY_ROWS, 64), MANY_COLUMNS, dtype);
    squared(
        adapted("y", Glu.of(g, leaf("gate", MANY_ROWS, MANY_COLUMNS), up, Act.SILU), 64, dtype));
  }

  private Value x(long rows, long columns) {
    return leaf("x", rows, columns);
  }

  private Value leaf(String name, long rows, long columns) {
    return Cast.of(g, g.named(Kind.PARAM, name, DType.F32, Shape.of(rows, columns)), dtype);
  }

  private Value vector(String name, long size) {
    return g.named(Kind.STATE, name, DType.F32, Shape.of(size));
  }

  private Value frozen(String name, long... shape) {
    return Cast.of(g, g.named(Kind.STATE, name, DType.F32, Shape.of(shape)), dtype);
  }

  private Value adapted(String name, Value x, long out, DType format) {
    long in = x.shape().last();
    return LoraLinear.of(
        g,
        name,
        x,
        format.isBlocks()
            ? g.named(Kind.STATE, name + ".w0", format, Shape.of(out, in))
            : frozen(name + ".w0", out, in),
        Optional.empty(),
        LowRank.of(
            g,
            g.named(Kind.PARAM, name + ".a", DType.F32, Shape.of(RANK, in)),
            g.named(Kind.PARAM, name + ".b", DType.F32, Shape.of(out, RANK)),
            dtype),
        new LoraLinear.Setting(0.5f, 0, 0));
  }

  private void squared(Value y) {
    Value target = g.named(Kind.STATE, "target", DType.F32, y.shape());
    Mse.of(g, y, target, vector("weights", 1), Optional.empty(), 0, true);
  }
}

package org.loranative.graph.ops;

import static org.loranative.graph.ops.OpCases.between;
import static org.loranative.graph.ops.OpCases.normal;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.OpCase.Instance;
import org.loranative.io.DType;

/** Attention in which queries of a group see all of its keys but the padding. */
final class FullAttentionCases {
  private static final String PADDING = "padding";

  private FullAttentionCases() {}

  /**
   * Groups of queries that see groups of keys: an image and its caption.
   *
   * @param mostPadding keys of a group that nobody sees; 0 for an op without padding
   */
  static Instance attention(
      Random r, int mostGroups, int mostQueries, int mostHeads, int dim, int mostPadding) {
    Instance c = new Instance();
    int groups = between(r, 1, mostGroups);
    int queries = between(r, 1, mostQueries);
    // Of one key all weight is its own: q has no gradient.
    int keys = between(r, 3, Math.max(3, mostQueries)) + mostPadding;
    int[] padding = padding(r, groups, mostPadding);
    int heads = between(r, 1, mostHeads);
    int width = heads * dim;
    double spread = OpCases.spread(Math.min(groups * queries, keys), 1);
    c.differentiable.put("q", normal(r, groups * queries * width, spread));
    c.differentiable.put("k", normal(r, groups * keys * width, spread));
    c.differentiable.put("v", normal(r, groups * keys * width, 1));
    c.gradientSlack = 4;
    if (mostPadding > 0) {
      c.fixed.put(PADDING, padding);
    }
    c.shape =
        String.format(
            "%d x (%d, %d) heads=%d D=%d padding=%s",
            groups, queries, keys, heads, dim, Arrays.toString(padding));
    c.builder =
        (g, t) ->
            List.of(
                Attention.of(
                    g,
                    "o",
                    OpCase.leaf(g, "q", t, (long) groups * queries, width),
                    OpCase.leaf(g, "k", t, (long) groups * keys, width),
                    OpCase.leaf(g, "v", t, (long) groups * keys, width),
                    padding(g, mostPadding > 0, groups),
                    Attention.Setting.full(heads, dim, queries, keys)));
    c.reference =
        x -> {
          double[] q = x.get("q");
          double[] k = x.get("k");
          double[] v = x.get("v");
          double[] o = new double[groups * queries * width];
          for (int i = 0; i < groups * queries; i++) {
            for (int h = 0; h < heads; h++) {
              int first = i / queries * keys;
              int seen = keys - padding[i / queries];
              double[] p = new double[seen];
              double sum = 0;
              for (int j = 0; j < seen; j++) {
                double s = 0;
                for (int d = 0; d < dim; d++) {
                  s += q[i * width + h * dim + d] * k[(first + j) * width + h * dim + d];
                }
                p[j] = Math.exp(s / Math.sqrt(dim));
                sum += p[j];
              }
              for (int j = 0; j < seen; j++) {
                for (int d = 0; d < dim; d++) {
                  o[i * width + h * dim + d] += p[j] / sum * v[(first + j) * width + h * dim + d];
                }
              }
            }
          }
          return List.of(o);
        };
    return c;
  }

  /** T5's attention of frozen numbers, beside something that is differentiated. */
  static Instance biased(Random r, boolean padded) {
    Instance c = new Instance();
    int texts = OpCases.between(r, 1, 2);
    int tokens = OpCases.between(r, 1, 40);
    int heads = OpCases.between(r, 1, 3);
    int width = OpCases.between(r, 1, 40);
    int n = heads * width;
    int[] padding = padding(r, texts, padded ? tokens - 1 : 0);
    c.shape =
        String.format(
            "%d x %d, %d heads of %d, padding=%s",
            texts, tokens, heads, width, Arrays.toString(padding));
    c.differentiable.put("x", OpCases.normal(r, texts * tokens * n, 1));
    for (String name : List.of("q", "k", "v")) {
      c.fixed.put(name, OpCases.normal(r, texts * tokens * n, 0.5));
    }
    if (padded) {
      c.fixed.put(PADDING, padding);
    }
    c.fixed.put("bias", OpCases.normal(r, (2 * tokens - 1) * heads, 1));
    c.builder =
        (g, t) -> {
          Value o =
              BiasedAttention.of(
                  g,
                  "o",
                  frozen(g, "q", t, texts * tokens, n),
                  frozen(g, "k", t, texts * tokens, n),
                  frozen(g, "v", t, texts * tokens, n),
                  frozen(g, "bias", t, 2 * tokens - 1, heads),
                  padding(g, padded, texts),
                  texts,
                  heads);
          return List.of(Add.of(g, OpCase.leaf(g, "x", t, (long) texts * tokens, n), o));
        };
    c.reference =
        v -> {
          double[] y = v.get("x").clone();
          for (int row = 0; row < texts * tokens; row++) {
            for (int h = 0; h < heads; h++) {
              attend(v, y, row, tokens, tokens - padding[row / tokens], heads, width, h);
            }
          }
          return List.of(y);
        };
    return c;
  }

  private static int[] padding(Random r, int groups, int most) {
    return r.ints(groups, 0, most + 1).toArray();
  }

  private static Optional<Value> padding(Graph g, boolean any, int groups) {
    return any ? Optional.of(g.input(PADDING, DType.I32, groups)) : Optional.empty();
  }

  private static Value frozen(Graph g, String name, DType t, int rows, int columns) {
    return OpCases.frozen(g, name, t, rows, columns);
  }

  private static void attend(
      Map<String, double[]> v,
      double[] y,
      int row,
      int tokens,
      int seen,
      int heads,
      int width,
      int h) {
    int n = heads * width;
    int first = row / tokens * tokens;
    double[] p = new double[seen];
    double total = 0;
    for (int j = 0; j < seen; j++) {
      double s = v.get("bias")[(j - row % tokens + tokens - 1) * heads + h];
      for (int d = 0; d < width; d++) {
        s += v.get("q")[row * n + h * width + d] * v.get("k")[(first + j) * n + h * width + d];
      }
      p[j] = Math.exp(s);
      total += p[j];
    }
    for (int j = 0; j < seen; j++) {
      for (int d = 0; d < width; d++) {
        int at = h * width + d;
        y[row * n + at] += p[j] / total * v.get("v")[(first + j) * n + at];
      }
    }
  }
}

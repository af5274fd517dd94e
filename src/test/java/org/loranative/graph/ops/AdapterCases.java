package org.loranative.graph.ops;

import static org.loranative.graph.ops.OpCases.between;
import static org.loranative.graph.ops.OpCases.frozen;
import static org.loranative.graph.ops.OpCases.normal;

import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.ops.OpCase.Instance;
import org.loranative.io.DType;

/** Ops of the kinds of adapters. */
final class AdapterCases {
  private AdapterCases() {}

  /** A ragged size, or one of whole eights. */
  private static int size(Random r, int most) {
    return r.nextBoolean() ? 8 * between(r, 1, most / 8) : between(r, 1, most);
  }

  static Instance doraNorm(Random r) {
    Instance c = new Instance();
    int in = size(r, 2100);
    int out = between(r, 1, 19);
    int rank = between(r, 1, 9);
    float scale = 0.75f;
    c.shape = String.format("in=%d out=%d rank=%d", in, out, rank);
    c.fixed.put("w", normal(r, out * in, 0.5));
    c.fixed.put("a", normal(r, rank * in, 0.5));
    c.fixed.put("b", normal(r, out * rank, 0.5));
    c.builder =
        (g, t) ->
            List.of(
                DoraNorm.of(
                    g,
                    "norm",
                    frozen(g, "w", t, out, in),
                    frozen(g, "a", DType.F32, rank, in),
                    frozen(g, "b", DType.F32, out, rank),
                    scale));
    c.reference =
        v -> {
          double[] norms = new double[out];
          for (int o = 0; o < out; o++) {
            double squares = 0;
            for (int i = 0; i < in; i++) {
              double x = v.get("w")[o * in + i];
              for (int k = 0; k < rank; k++) {
                x += scale * v.get("b")[o * rank + k] * v.get("a")[k * in + i];
              }
              squares += x * x;
            }
            norms[o] = Math.sqrt(squares);
          }
          return List.of(norms);
        };
    return c;
  }

  static Instance doraScale(Random r, boolean bias) {
    Instance c = new Instance();
    int m = r.nextInt(3) == 0 ? between(r, 500, 1100) : between(r, 1, 70);
    int n = size(r, m > 100 ? 9 : 80);
    c.shape = String.format("M=%d C=%d", m, n);
    c.differentiable.put("z", normal(r, m * n, 1));
    c.differentiable.put("magnitude", normal(r, n, 1));
    float[] norm = normal(r, n, 1);
    for (int i = 0; i < n; i++) {
      norm[i] = Math.abs(norm[i]) + 0.5f;
    }
    c.fixed.put("norm", norm);
    c.fixed.put("bias", normal(r, n, 1));
    c.builder =
        (g, t) ->
            List.of(
                DoraScale.of(
                    g,
                    "y",
                    OpCase.leaf(g, "z", t, m, n),
                    g.named(Kind.PARAM, "magnitude", DType.F32, Shape.of(n)),
                    frozen(g, "norm", DType.F32, n),
                    bias ? Optional.of(frozen(g, "bias", DType.F32, n)) : Optional.empty()));
    c.reference =
        v -> {
          double[] y = new double[m * n];
          for (int i = 0; i < y.length; i++) {
            int channel = i % n;
            y[i] =
                v.get("z")[i] * v.get("magnitude")[channel] / v.get("norm")[channel]
                    + (bias ? v.get("bias")[channel] : 0);
          }
          return List.of(y);
        };
    return c;
  }
}

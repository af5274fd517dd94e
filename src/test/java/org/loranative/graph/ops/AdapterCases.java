package org.loranative.graph.ops;

import static org.loranative.graph.ops.OpCases.between;
import static org.loranative.graph.ops.OpCases.frozen;
import static org.loranative.graph.ops.OpCases.matmul;
import static org.loranative.graph.ops.OpCases.normal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.OpCase.Instance;
import org.loranative.io.DType;

/** Ops of the kinds of adapters. */
final class AdapterCases {
  private AdapterCases() {}

  /** A ragged size, or one of whole eights. */
  private static int size(Random r, int most) {
    return r.nextBoolean() ? 8 * between(r, 1, most / 8) : between(r, 1, most);
  }

  /** Layers of several ranks that read the same x. */
  static Instance loraUp(Random r, int unit) {
    Instance c = new Instance();
    int layers = between(r, 2, LoraDown.MOST);
    int m = between(r, 5, 19);
    int in = unit * between(r, Math.max(2, 10 / unit), 40 / unit);
    float scale = 0.75f;
    int[] out = new int[layers];
    int[] rank = new int[layers];
    c.differentiable.put("x", normal(r, m * in, 1));
    for (int i = 0; i < layers; i++) {
      out[i] = unit * between(r, Math.max(2, 10 / unit), 40 / unit);
      rank[i] = unit * between(r, 1, 16 / unit);
      c.differentiable.put("a" + i, normal(r, rank[i] * in, 0.5));
      c.differentiable.put("b" + i, normal(r, out[i] * rank[i], 0.5));
      c.fixed.put("w" + i, normal(r, out[i] * in, 0.5));
    }
    c.fixed.put("bias", normal(r, out[0], 1));
    c.shape =
        m + " rows, in " + in + ", out " + Arrays.toString(out) + ", " + Arrays.toString(rank);
    c.builder =
        (g, t) -> {
          List<LoraUp.Layer> all = new ArrayList<>();
          for (int i = 0; i < layers; i++) {
            Value a = g.named(Kind.PARAM, "a" + i, DType.F32, Shape.of(rank[i], in));
            Value b = g.named(Kind.PARAM, "b" + i, DType.F32, Shape.of(out[i], rank[i]));
            Optional<Value> bias =
                i == 0 ? Optional.of(frozen(g, "bias", DType.F32, out[0])) : Optional.empty();
            Value w = frozen(g, "w" + i, t, out[i], in);
            all.add(new LoraUp.Layer("y" + i, w, bias, LowRank.of(g, a, b, t)));
          }
          return LoraUp.of(g, OpCase.leaf(g, "x", t, m, in), all, scale).stream()
              .map(Supplier::get)
              .toList();
        };
    c.reference =
        v -> {
          List<double[]> made = new ArrayList<>();
          for (int i = 0; i < layers; i++) {
            double[] xa = matmul(v.get("x"), v.get("a" + i), Optional.empty(), m, in, rank[i]);
            double[] up = matmul(xa, v.get("b" + i), Optional.empty(), m, rank[i], out[i]);
            Optional<double[]> bias = i == 0 ? Optional.of(v.get("bias")) : Optional.empty();
            double[] y = matmul(v.get("x"), v.get("w" + i), bias, m, in, out[i]);
            for (int j = 0; j < y.length; j++) {
              y[j] += scale * up[j];
            }
            made.add(y);
          }
          return made;
        };
    return c;
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

  /** A weight that is made of others, and its product with activations or images. */
  private record Made(
      int out,
      int in,
      int taps,
      BiFunction<Graph, DType, Value> make,
      Function<Map<String, double[]>, double[]> reference) {}

  static Instance loha(Random r, boolean convolution) {
    int out = size(r, convolution ? 9 : 24);
    int in = size(r, convolution ? 9 : 40);
    int rank = between(r, 1, 9);
    int taps = convolution ? 9 : 1;
    float scale = 0.75f;
    Instance c = new Instance();
    for (String i : List.of("1", "2")) {
      c.differentiable.put("a" + i, normal(r, out * rank, 0.7));
      c.differentiable.put("b" + i, normal(r, rank * taps * in, 0.7));
    }
    Made made =
        new Made(
            out,
            in,
            taps,
            (g, t) ->
                Loha.of(
                    g,
                    "d",
                    parameter(g, "a1", out, rank),
                    parameter(g, "b1", rank, taps * in),
                    parameter(g, "a2", out, rank),
                    parameter(g, "b2", rank, taps * in),
                    scale,
                    t),
            v -> {
              double[] d = product(v.get("a1"), v.get("b1"), out, rank, taps * in);
              double[] second = product(v.get("a2"), v.get("b2"), out, rank, taps * in);
              for (int i = 0; i < d.length; i++) {
                d[i] *= scale * second[i];
              }
              return d;
            });
    return layer(c, r, made);
  }

  static Instance lokr(Random r, boolean full, boolean convolution) {
    int outL = between(r, 1, convolution ? 3 : 5);
    int outK = size(r, 9);
    int inM = between(r, 1, convolution ? 3 : 5);
    int inN = size(r, 9);
    int rank = between(r, 1, 9);
    int taps = convolution ? 9 : 1;
    float scale = 0.75f;
    Instance c = new Instance();
    c.differentiable.put("w1", normal(r, outL * inM, 0.7));
    c.differentiable.put("w2", normal(r, outK * (full ? taps * inN : rank), 0.7));
    if (!full) {
      c.differentiable.put("w2b", normal(r, rank * taps * inN, 0.7));
    }
    Made made =
        new Made(
            outL * outK,
            inM * inN,
            taps,
            (g, t) ->
                Lokr.of(
                    g,
                    "d",
                    parameter(g, "w1", outL, inM),
                    parameter(g, "w2", outK, full ? taps * inN : rank),
                    full ? Optional.empty() : Optional.of(parameter(g, "w2b", rank, taps * inN)),
                    new Lokr.Setting(taps, scale),
                    t),
            v -> {
              double[] w2 =
                  full ? v.get("w2") : product(v.get("w2"), v.get("w2b"), outK, rank, taps * inN);
              double[] d = new double[outL * outK * taps * inM * inN];
              for (int o = 0; o < outL * outK; o++) {
                for (int tap = 0; tap < taps; tap++) {
                  for (int i = 0; i < inM * inN; i++) {
                    d[(o * taps + tap) * inM * inN + i] =
                        scale
                            * v.get("w1")[o / outK * inM + i / inN]
                            * w2[(o % outK * taps + tap) * inN + i % inN];
                  }
                }
              }
              return d;
            });
    return layer(c, r, made);
  }

  private static Instance layer(Instance c, Random r, Made made) {
    Conv2d.Setting s =
        Conv2d.Setting.same(between(r, 1, 2), between(r, 3, 6), 4, 3, between(r, 1, 2));
    int rows = made.taps() == 1 ? between(r, 3, 19) : (int) (s.images() * s.height() * s.width());
    c.shape = String.format("rows=%d out=%d in=%d", rows, made.out(), made.in());
    // D is rounded before it is multiplied, and what is summed up to a number of it is not small.
    c.gradientSlack = 4;
    c.differentiable.put("x", normal(r, rows * made.in(), 1));
    c.builder =
        (g, t) -> {
          Value x = OpCase.leaf(g, "x", t, rows, made.in());
          Value d = made.make().apply(g, t);
          return List.of(
              made.taps() == 1
                  ? Linear.of(g, "y", x, d, Optional.empty(), t)
                  : Conv2d.of(g, "y", x, d, Optional.empty(), s));
        };
    c.reference =
        v -> {
          double[] d = made.reference().apply(v);
          return List.of(
              made.taps() == 1
                  ? OpCases.matmul(v.get("x"), d, Optional.empty(), rows, made.in(), made.out())
                  : DiffusionCases.convolve(
                      v.get("x"), d, new double[made.out()], made.in(), made.out(), s));
        };
    return c;
  }

  private static Value parameter(Graph g, String name, int rows, int columns) {
    return g.named(Kind.PARAM, name, DType.F32, Shape.of(rows, columns));
  }

  /** a [rows, rank] b [rank, columns]. */
  private static double[] product(double[] a, double[] b, int rows, int rank, int columns) {
    double[] y = new double[rows * columns];
    for (int i = 0; i < y.length; i++) {
      for (int k = 0; k < rank; k++) {
        y[i] += a[i / columns * rank + k] * b[k * columns + i % columns];
      }
    }
    return y;
  }
}

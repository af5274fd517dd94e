package org.loranative.graph.ops;

import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.OpCase.Instance;
import org.loranative.io.DType;
import org.loranative.random.Philox;

/** Cases of the ops that diffusion models use. */
final class DiffusionCases {
  private DiffusionCases() {}

  static double act(Act act, double z) {
    return switch (act) {
      case SILU -> z / (1 + Math.exp(-z));
      case GELU_TANH -> 0.5 * z * (1 + Math.tanh(0.7978845608028654 * (z + 0.044715 * z * z * z)));
      case GELU -> z * normal(z);
      case QUICK_GELU -> z / (1 + Math.exp(-1.702 * z));
      case TANH -> Math.tanh(z);
      case SIGMOID -> 1 / (1 + Math.exp(-z));
    };
  }

  /** The cumulative normal distribution, by its series (Marsaglia 2004). */
  private static double normal(double z) {
    if (z < -8 || z > 8) {
      return z < 0 ? 0 : 1;
    }
    double sum = z;
    double term = z;
    for (int i = 3; Math.abs(term) > 1e-18; i += 2) {
      term = term * z * z / i;
      sum += term;
    }
    return 0.5 + sum * Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);
  }

  static Instance affine(Random r) {
    Instance c = new Instance();
    int n = OpCases.between(r, 1, 200);
    float factor = (float) (r.nextGaussian() * 3);
    float shift = (float) (r.nextGaussian() * 3);
    c.shape = n + ", " + factor + " x + " + shift;
    c.differentiable.put("x", OpCases.normal(r, n, 2));
    c.builder = (g, t) -> List.of(Affine.of(g, OpCase.leaf(g, "x", t, n), factor, shift));
    c.reference =
        v -> {
          double[] y = new double[n];
          for (int i = 0; i < n; i++) {
            y[i] = (double) factor * v.get("x")[i] + shift;
          }
          return List.of(y);
        };
    return c;
  }

  static Instance activation(Random r, Act act) {
    return activation(act, OpCases.normal(r, OpCases.between(r, 1, 200), 2));
  }

  static Instance smallTanh(Random r) {
    return activation(Act.TANH, OpCases.normal(r, OpCases.between(r, 1, 30), 1e-3));
  }

  static Instance largeTanh(Random r) {
    return activation(Act.TANH, OpCases.far(r, OpCases.between(r, 10, 30), 0.5));
  }

  private static Instance activation(Act act, float[] given) {
    Instance c = new Instance();
    int n = given.length;
    c.differentiable.put("x", given);
    c.builder = (g, t) -> List.of(Activation.of(g, OpCase.leaf(g, "x", t, n), act));
    c.reference =
        v -> {
          double[] y = new double[n];
          for (int i = 0; i < n; i++) {
            y[i] = act(act, v.get("x")[i]);
          }
          return List.of(y);
        };
    return c;
  }

  /** Norm over the elements at {@code index(i)}, i below count. */
  private static void normalize(
      double[] x,
      double[] y,
      int count,
      java.util.function.IntUnaryOperator index,
      java.util.function.IntUnaryOperator channel,
      double[] w,
      double[] b) {
    double mean = 0;
    double squares = 0;
    for (int i = 0; i < count; i++) {
      mean += x[index.applyAsInt(i)] / count;
    }
    for (int i = 0; i < count; i++) {
      squares += Math.pow(x[index.applyAsInt(i)] - mean, 2) / count;
    }
    double rstd = 1 / Math.sqrt(squares + 1e-5);
    for (int i = 0; i < count; i++) {
      int c = channel.applyAsInt(i);
      y[index.applyAsInt(i)] = (x[index.applyAsInt(i)] - mean) * rstd * w[c] + b[c];
    }
  }

  static Instance layerNorm(Random r) {
    Instance c = new Instance();
    int m = OpCases.between(r, 1, 9);
    int n = OpCases.between(r, 4, 70);
    c.differentiable.put("x", OpCases.normal(r, m * n, 1));
    c.fixed.put("w", OpCases.normal(r, n, 1));
    c.fixed.put("b", OpCases.normal(r, n, 1));
    c.builder =
        (g, t) ->
            List.of(
                LayerNorm.of(
                    g,
                    "y",
                    OpCase.leaf(g, "x", t, m, n),
                    OpCases.frozen(g, "w", DType.F32, n),
                    OpCases.frozen(g, "b", DType.F32, n),
                    1e-5f));
    c.reference =
        v -> {
          double[] y = new double[m * n];
          for (int i = 0; i < m; i++) {
            int row = i * n;
            normalize(v.get("x"), y, n, k -> row + k, k -> k, v.get("w"), v.get("b"));
          }
          return List.of(y);
        };
    return c;
  }

  static Instance groupNorm(Random r, boolean silu) {
    Instance c = new Instance();
    int images = OpCases.between(r, 1, 2);
    int pixels = OpCases.between(r, 3, 12);
    int groups = OpCases.between(r, 1, 4);
    int width = OpCases.between(r, 2, 6);
    int n = groups * width;
    c.differentiable.put("x", OpCases.normal(r, images * pixels * n, 1));
    c.fixed.put("w", OpCases.normal(r, n, 1));
    c.fixed.put("b", OpCases.normal(r, n, 1));
    c.builder =
        (g, t) ->
            List.of(
                GroupNorm.of(
                    g,
                    "y",
                    OpCase.leaf(g, "x", t, images * pixels, n),
                    OpCases.frozen(g, "w", DType.F32, n),
                    OpCases.frozen(g, "b", DType.F32, n),
                    new GroupNorm.Setting(images, groups, 1e-5f, silu)));
    c.reference =
        v -> {
          double[] y = new double[images * pixels * n];
          for (int u = 0; u < images * groups; u++) {
            int first = u % groups * width;
            int at = u / groups * pixels * n + first;
            normalize(
                v.get("x"),
                y,
                pixels * width,
                i -> at + i / width * n + i % width,
                i -> first + i % width,
                v.get("w"),
                v.get("b"));
          }
          for (int i = 0; silu && i < y.length; i++) {
            y[i] = act(Act.SILU, y[i]);
          }
          return List.of(y);
        };
    return c;
  }

  static Instance conv2d(Random r, int stride, boolean after) {
    Instance c = new Instance();
    int images = OpCases.between(r, 1, 2);
    int height = OpCases.between(r, 3, 7);
    int width = OpCases.between(r, 3, 7);
    int in = OpCases.between(r, 1, 9);
    int out = OpCases.between(r, 1, 9);
    int kernel = 3;
    // As the VAE's encoder pads: one row and column of zeros behind the image, none before it.
    Conv2d.Setting s =
        after
            ? new Conv2d.Setting(
                images, height, width, (height - 2) / 2 + 1, (width - 2) / 2 + 1, kernel, 2, 0)
            : Conv2d.Setting.same(images, height, width, kernel, stride);
    c.differentiable.put("x", OpCases.normal(r, images * height * width * in, 1));
    c.fixed.put("w", OpCases.normal(r, out * kernel * kernel * in, 0.5));
    c.fixed.put("bias", OpCases.normal(r, out, 1));
    c.shape = s.toString();
    c.builder =
        (g, t) ->
            List.of(
                Conv2d.of(
                    g,
                    "y",
                    OpCase.leaf(g, "x", t, (long) images * height * width, in),
                    OpCases.frozen(g, "w", t, out, kernel, kernel, in),
                    Optional.of(OpCases.frozen(g, "bias", DType.F32, out)),
                    s));
    c.reference = v -> List.of(convolve(v.get("x"), v.get("w"), v.get("bias"), in, out, s));
    return c;
  }

  static double[] convolve(
      double[] x, double[] w, double[] bias, int in, int out, Conv2d.Setting s) {
    int outHeight = (int) s.outHeight();
    int outWidth = (int) s.outWidth();
    int kernel = (int) s.kernel();
    double[] y = new double[(int) s.images() * outHeight * outWidth * out];
    for (int p = 0; p < y.length / out; p++) {
      for (int o = 0; o < out; o++) {
        double sum = bias[o];
        for (int tap = 0; tap < kernel * kernel; tap++) {
          long row = p / outWidth % outHeight * s.stride() + tap / kernel - s.pad();
          long column = p % outWidth * s.stride() + tap % kernel - s.pad();
          if (row < 0 || row >= s.height() || column < 0 || column >= s.width()) {
            continue;
          }
          int pixel = (int) ((p / outWidth / outHeight * s.height() + row) * s.width() + column);
          for (int i = 0; i < in; i++) {
            sum += x[pixel * in + i] * w[(o * kernel * kernel + tap) * in + i];
          }
        }
        y[p * out + o] = sum;
      }
    }
    return y;
  }

  /** The low-rank branch of a convolution, beside a frozen one that is all zeros but its bias. */
  static Instance loraConv2d(Random r, int stride, float dropout) {
    Instance c = new Instance();
    int images = OpCases.between(r, 1, 2);
    int in = OpCases.between(r, 3, 17);
    int out = OpCases.between(r, 3, 17);
    int rank = OpCases.between(r, 1, 9);
    Conv2d.Setting s =
        Conv2d.Setting.same(images, OpCases.between(r, 3, 7), OpCases.between(r, 3, 7), 3, stride);
    int pixels = (int) (images * s.height() * s.width());
    long rows = images * s.outHeight() * s.outWidth();
    int stream = Philox.DROPOUT + 4;
    float scale = 0.75f;
    c.differentiable.put("x", OpCases.normal(r, (long) pixels * in, 1));
    c.differentiable.put("frozen", OpCases.normal(r, rows * out, 1));
    c.differentiable.put("a", OpCases.normal(r, rank * 9L * in, 0.5));
    c.differentiable.put("b", OpCases.normal(r, (long) out * rank, 0.5));
    c.shape = s + ", in " + in + ", out " + out + ", rank " + rank;
    c.builder =
        (g, t) ->
            List.of(
                LoraConv2d.of(
                    g,
                    "y",
                    OpCase.leaf(g, "x", t, pixels, in),
                    OpCase.leaf(g, "frozen", t, rows, out),
                    LowRank.of(
                        g,
                        g.named(Kind.PARAM, "a", DType.F32, Shape.of(rank, 9L * in)),
                        g.named(Kind.PARAM, "b", DType.F32, Shape.of(out, rank)),
                        t),
                    s,
                    new LoraLinear.Setting(scale, dropout, stream)));
    c.reference =
        v -> {
          double[] low = OpCases.dropped(v.get("x"), dropout, stream);
          double[] xa = convolve(low, v.get("a"), new double[rank], in, rank, s);
          double[] y = v.get("frozen").clone();
          for (int m = 0; m < rows; m++) {
            for (int o = 0; o < out; o++) {
              for (int k = 0; k < rank; k++) {
                y[m * out + o] += scale * xa[m * rank + k] * v.get("b")[o * rank + k];
              }
            }
          }
          return List.of(y);
        };
    return c;
  }

  /** Rows picked from an activation, some of them twice. */
  static Instance pickedRows(Random r) {
    Instance c = new Instance();
    int rows = OpCases.between(r, 2, 9);
    int n = OpCases.between(r, 1, 40);
    int[] ids = {r.nextInt(rows), r.nextInt(rows), r.nextInt(rows)};
    c.differentiable.put("w", OpCases.normal(r, rows * n, 1));
    c.fixed.put("ids", ids);
    c.builder =
        (g, t) ->
            List.of(
                Embedding.of(
                    g, g.input("ids", DType.I32, 3), OpCase.leaf(g, "w", t, rows, n), 0.5f));
    c.reference =
        v -> {
          double[] y = new double[3 * n];
          for (int i = 0; i < y.length; i++) {
            y[i] = 0.5 * v.get("w")[ids[i / n] * n + i % n];
          }
          return List.of(y);
        };
    return c;
  }

  static Instance upsample(Random r) {
    Instance c = new Instance();
    int images = OpCases.between(r, 1, 2);
    int height = OpCases.between(r, 1, 5);
    int width = OpCases.between(r, 1, 5);
    int outHeight = 2 * height - r.nextInt(2);
    int outWidth = 2 * width - r.nextInt(2);
    int n = OpCases.between(r, 1, 9);
    Upsample.Setting s = new Upsample.Setting(images, height, width, outHeight, outWidth);
    c.shape = s.toString();
    c.differentiable.put("x", OpCases.normal(r, images * height * width * n, 1));
    c.builder =
        (g, t) ->
            List.of(Upsample.of(g, OpCase.leaf(g, "x", t, (long) images * height * width, n), s));
    c.reference =
        v -> {
          double[] y = new double[images * outHeight * outWidth * n];
          for (int i = 0; i < y.length; i++) {
            int pixel = i / n;
            int image = pixel / outWidth / outHeight;
            int row = pixel / outWidth % outHeight / 2;
            y[i] = v.get("x")[((image * height + row) * width + pixel % outWidth / 2) * n + i % n];
          }
          return List.of(y);
        };
    return c;
  }

  static Instance addRows(Random r) {
    Instance c = new Instance();
    int images = OpCases.between(r, 1, 3);
    int pixels = OpCases.between(r, 1, 9);
    int n = OpCases.between(r, 1, 20);
    c.differentiable.put("x", OpCases.normal(r, images * pixels * n, 1));
    c.differentiable.put("t", OpCases.normal(r, images * n, 1));
    c.builder =
        (g, t) -> {
          Value x = OpCase.leaf(g, "x", t, (long) images * pixels, n);
          return List.of(AddRows.of(g, x, OpCase.leaf(g, "t", t, images, n)));
        };
    c.reference =
        v -> {
          double[] y = v.get("x").clone();
          for (int i = 0; i < y.length; i++) {
            y[i] += v.get("t")[i / n / pixels * n + i % n];
          }
          return List.of(y);
        };
    return c;
  }
}

package org.loranative.graph.ops;

import java.util.List;
import java.util.Random;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.OpCase.Instance;
import org.loranative.io.DType;

/** Cases of the ops that transformers of images use. */
final class TransformerCases {
  private TransformerCases() {}

  static Instance modulatedNorm(Random r) {
    Instance c = new Instance();
    int images = OpCases.between(r, 1, 3);
    int tokens = OpCases.between(r, 1, 40);
    int n = OpCases.between(r, 4, 80);
    c.differentiable.put("x", OpCases.normal(r, images * tokens * n, 1));
    c.differentiable.put("scale", OpCases.normal(r, images * n, 0.5));
    c.differentiable.put("shift", OpCases.normal(r, images * n, 1));
    c.shape = images + " x " + tokens + " x " + n;
    c.builder =
        (g, t) ->
            List.of(
                ModulatedNorm.of(
                    g,
                    "y",
                    OpCase.leaf(g, "x", t, (long) images * tokens, n),
                    OpCase.leaf(g, "scale", t, images, n),
                    OpCase.leaf(g, "shift", t, images, n),
                    1e-5f));
    c.reference =
        v -> {
          double[] y = v.get("x").clone();
          for (int row = 0; row < images * tokens; row++) {
            double mean = 0;
            double squares = 0;
            for (int i = 0; i < n; i++) {
              mean += y[row * n + i] / n;
            }
            for (int i = 0; i < n; i++) {
              squares += Math.pow(y[row * n + i] - mean, 2) / n;
            }
            for (int i = 0; i < n; i++) {
              int at = row / tokens * n + i;
              double xhat = (y[row * n + i] - mean) / Math.sqrt(squares + 1e-5);
              y[row * n + i] = xhat * (1 + v.get("scale")[at]) + v.get("shift")[at];
            }
          }
          return List.of(y);
        };
    return c;
  }

  static Instance gatedAdd(Random r) {
    Instance c = new Instance();
    int images = OpCases.between(r, 1, 3);
    int tokens = OpCases.between(r, 1, 40);
    int n = OpCases.between(r, 1, 80);
    c.differentiable.put("x", OpCases.normal(r, images * tokens * n, 1));
    c.differentiable.put("z", OpCases.normal(r, images * tokens * n, 1));
    c.differentiable.put("gate", OpCases.normal(r, images * n, 1));
    c.builder =
        (g, t) ->
            List.of(
                GatedAdd.of(
                    g,
                    "y",
                    OpCase.leaf(g, "x", t, (long) images * tokens, n),
                    OpCase.leaf(g, "z", t, (long) images * tokens, n),
                    OpCase.leaf(g, "gate", t, images, n)));
    c.reference =
        v -> {
          double[] y = v.get("x").clone();
          for (int i = 0; i < y.length; i++) {
            y[i] += v.get("gate")[i / n / tokens * n + i % n] * v.get("z")[i];
          }
          return List.of(y);
        };
    return c;
  }

  private static Window.Setting window(Random r) {
    int rows = OpCases.between(r, 1, 6);
    int columns = OpCases.between(r, 1, 30);
    int top = OpCases.between(r, 0, 3);
    int left = OpCases.between(r, 0, 17);
    int batch = OpCases.between(r, 1, 3);
    int height = top + rows + OpCases.between(r, 0, 3);
    int width = left + columns + OpCases.between(r, 0, 17);
    // Whole eights now and then, which go another way.
    int unit = r.nextBoolean() ? 8 : 1;
    return new Window.Setting(
        batch, height, (long) width * unit, top, (long) left * unit, rows, (long) columns * unit);
  }

  /** Where a number of the window lies in the whole. */
  private static int inWhole(Window.Setting s, int at) {
    int columns = (int) s.columns();
    int row = at / columns;
    long line = row / s.rows() * s.height() + s.top() + row % s.rows();
    return (int) (line * s.width() + s.left() + at % columns);
  }

  private static int size(Window.Setting s) {
    return (int) (s.batch() * s.rows() * s.columns());
  }

  static Instance crop(Random r) {
    Instance c = new Instance();
    Window.Setting s = window(r);
    long rows = s.batch() * s.height();
    c.shape = s.toString();
    c.differentiable.put("x", OpCases.normal(r, rows * s.width(), 1));
    c.builder = (g, t) -> List.of(Window.crop(g, OpCase.leaf(g, "x", t, rows, s.width()), s));
    c.reference =
        v -> {
          double[] y = new double[size(s)];
          for (int i = 0; i < y.length; i++) {
            y[i] = v.get("x")[inWhole(s, i)];
          }
          return List.of(y);
        };
    return c;
  }

  static Instance pad(Random r) {
    Instance c = new Instance();
    Window.Setting s = window(r);
    c.shape = s.toString();
    c.differentiable.put("x", OpCases.normal(r, size(s), 1));
    c.builder =
        (g, t) ->
            List.of(Window.pad(g, OpCase.leaf(g, "x", t, s.batch() * s.rows(), s.columns()), s));
    c.reference =
        v -> {
          double[] y = new double[(int) (s.batch() * s.height() * s.width())];
          for (int i = 0; i < v.get("x").length; i++) {
            y[inWhole(s, i)] = v.get("x")[i];
          }
          return List.of(y);
        };
    return c;
  }

  /** One frozen matrix whose window each image gets, beside something that is differentiated. */
  static Instance repeated(Random r) {
    Instance c = new Instance();
    Window.Setting s = window(r);
    Window.Setting one =
        new Window.Setting(1, s.height(), s.width(), s.top(), s.left(), s.rows(), s.columns());
    long rows = s.batch() * s.rows();
    c.shape = s.toString();
    c.differentiable.put("x", OpCases.normal(r, size(s), 1));
    c.fixed.put("w", OpCases.normal(r, s.height() * s.width(), 1));
    c.builder =
        (g, t) -> {
          Value w = OpCases.frozen(g, "w", t, s.height(), s.width());
          Value x = OpCase.leaf(g, "x", t, rows, s.columns());
          return List.of(Add.of(g, x, Window.repeat(g, w, s, s.columns())));
        };
    c.reference =
        v -> {
          double[] y = v.get("x").clone();
          for (int i = 0; i < y.length; i++) {
            y[i] += v.get("w")[inWhole(one, i % size(one))];
          }
          return List.of(y);
        };
    return c;
  }

  static Instance joinRows(Random r) {
    Instance c = new Instance();
    int groups = OpCases.between(r, 1, 3);
    int first = OpCases.between(r, 1, 7);
    int second = OpCases.between(r, 1, 7);
    int n = OpCases.between(r, 1, 20);
    c.differentiable.put("a", OpCases.normal(r, groups * first * n, 1));
    c.differentiable.put("b", OpCases.normal(r, groups * second * n, 1));
    c.builder =
        (g, t) -> {
          Value a = OpCase.leaf(g, "a", t, (long) groups * first, n);
          Value b = OpCase.leaf(g, "b", t, (long) groups * second, n);
          return List.of(JoinRows.of(g, a, b, groups));
        };
    c.reference =
        v -> {
          double[] y = new double[groups * (first + second) * n];
          for (int i = 0; i < y.length; i++) {
            int row = i / n;
            int group = row / (first + second);
            int inside = row % (first + second);
            y[i] =
                inside < first
                    ? v.get("a")[(group * first + inside) * n + i % n]
                    : v.get("b")[(group * second + inside - first) * n + i % n];
          }
          return List.of(y);
        };
    return c;
  }

  static Instance patchify(Random r, boolean inverse, boolean channelsFirst) {
    Instance c = new Instance();
    int patch = OpCases.between(r, 1, 3);
    int channels = OpCases.between(r, 1, 9);
    int images = OpCases.between(r, 1, 2);
    int height = patch * OpCases.between(r, 1, 4);
    int width = patch * OpCases.between(r, 1, 4);
    Patchify.Setting s =
        new Patchify.Setting(images, height, width, channels, patch, channelsFirst);
    c.shape = s.toString();
    int n = images * height * width * channels;
    c.differentiable.put("x", OpCases.normal(r, n, 1));
    c.builder =
        (g, t) -> {
          Value x =
              inverse
                  ? OpCase.leaf(g, "x", t, s.tokens().dim(0), s.tokens().dim(1))
                  : OpCase.leaf(g, "x", t, s.pixels().dim(0), s.pixels().dim(1));
          return List.of(inverse ? Patchify.pixels(g, x, s) : Patchify.tokens(g, x, s));
        };
    c.reference =
        v -> {
          double[] y = new double[n];
          int at = 0; // tokens in their order
          for (int token = 0; token < n / channels / patch / patch; token++) {
            int across = width / patch;
            int row = token / across * patch; // images lie one below the other
            int column = token % across * patch;
            for (int k = 0; k < channels * patch * patch; k++) {
              int channel = channelsFirst ? k / patch / patch : k % channels;
              int inside = channelsFirst ? k % (patch * patch) : k / channels;
              int pixel = (row + inside / patch) * width + column + inside % patch;
              int there = pixel * channels + channel;
              y[inverse ? there : at] = v.get("x")[inverse ? at : there];
              at++;
            }
          }
          return List.of(y);
        };
    return c;
  }

  private static Value frozen(Graph g, String name, DType t, int rows, int columns) {
    return OpCases.frozen(g, name, t, rows, columns);
  }
}

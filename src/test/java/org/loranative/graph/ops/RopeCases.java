package org.loranative.graph.ops;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.OpCase.Instance;
import org.loranative.io.DType;

/** Cases of rotary positions. */
final class RopeCases {
  private RopeCases() {}

  static Instance rope(Random r, Rope.Pairing pairing) {
    Instance c = new Instance();
    int m = OpCases.between(r, 1, 9);
    int heads = OpCases.between(r, 1, 3);
    int half = OpCases.between(r, 1, 9);
    int dim = 2 * half + 2 * OpCases.between(r, 0, 2);
    int[] positions = r.ints(m, 0, 500).toArray();
    float[] frequencies = new float[half];
    for (int i = 0; i < half; i++) {
      frequencies[i] = (float) Math.pow(100, -i / (double) half);
    }
    RopeTable.Growth growth =
        r.nextBoolean()
            ? RopeTable.Growth.NONE
            : new RopeTable.Growth(r.nextFloat(), OpCases.between(r, 1, 300));
    c.differentiable.put("x", OpCases.normal(r, m * heads * dim, 1));
    c.fixed.put("positions", positions);
    c.fixed.put("f", frequencies);
    c.builder =
        (g, t) -> {
          Value table =
              RopeTable.of(
                  g,
                  g.input("positions", DType.I32, m),
                  g.named(Kind.STATE, "f", DType.F32, Shape.of(half)),
                  1.25f,
                  growth);
          Value x = OpCase.leaf(g, "x", t, m, (long) heads * dim);
          return List.of(Rope.of(g, x, table, dim, pairing));
        };
    c.reference =
        v -> {
          double[] y = v.get("x").clone();
          for (int i = 0; i < m * heads; i++) {
            for (int j = 0; j < half; j++) {
              double angle = (float) (positions[i / heads] * frequencies[j]);
              int lengths = positions[i / heads] / growth.length();
              double scale = 1.25 * (1 + growth.beta() * Math.log1p(lengths));
              turn(y, i * dim, j, half, pairing, angle, scale);
            }
          }
          return List.of(y);
        };
    return c;
  }

  /** Images of few tokens, each with text behind them, on three axes of different widths. */
  static Instance grid(Random r, boolean moves) {
    Instance c = new Instance();
    int images = OpCases.between(r, 1, 2);
    int height = OpCases.between(r, 1, 4);
    int width = OpCases.between(r, 1, 4);
    int filling = OpCases.between(r, 0, 3);
    int text = OpCases.between(r, 0, 5);
    int heads = OpCases.between(r, 1, 2);
    List<Integer> channels =
        List.of(
            2 * OpCases.between(r, 1, 3),
            2 * OpCases.between(r, 1, 5),
            2 * OpCases.between(r, 1, 5));
    int dim = channels.stream().mapToInt(Integer::intValue).sum();
    int imageAt = OpCases.between(r, 0, 9);
    int textAt = OpCases.between(r, 0, 3);
    int textStep = OpCases.between(r, 0, 2);
    GridRopeTable.Setting s =
        new GridRopeTable.Setting(
            images, height, width, filling, text, imageAt, textAt, textStep, channels, 100);
    int[] moved = r.ints(moves ? images : 0, 0, 40).toArray();
    if (moves) {
      c.fixed.put("moved", moved);
    }
    c.shape = s + " moved by " + Arrays.toString(moved);
    int tokens = height * width + filling + text;
    c.differentiable.put("x", OpCases.normal(r, images * tokens * heads * dim, 1));
    c.builder =
        (g, t) -> {
          Value x = OpCase.leaf(g, "x", t, (long) images * tokens, (long) heads * dim);
          Value table =
              GridRopeTable.of(
                  g,
                  "table",
                  moves ? Optional.of(g.input("moved", DType.I32, images)) : Optional.empty(),
                  s);
          return List.of(Rope.of(g, x, table, dim, Rope.Pairing.NEIGHBOURS));
        };
    c.reference =
        v -> {
          double[] y = v.get("x").clone();
          for (int i = 0; i < images * tokens * heads; i++) {
            int token = i / heads % tokens;
            int word = token - height * width - filling;
            int by = moves ? moved[i / heads / tokens] : 0;
            int[] place =
                token < height * width
                    ? new int[] {imageAt + by, token / width, token % width}
                    : new int[] {word < 0 ? 0 : textAt + word * textStep, 0, 0};
            int pair = 0;
            for (int axis = 0; axis < 3; axis++) {
              for (int j = 0; j < channels.get(axis); j += 2) {
                double angle = place[axis] * Math.pow(100, -j / (double) channels.get(axis));
                turn(y, i * dim, pair++, dim / 2, Rope.Pairing.NEIGHBOURS, angle, 1);
              }
            }
          }
          return List.of(y);
        };
    return c;
  }

  private static void turn(
      double[] y, int head, int j, int half, Rope.Pairing pairing, double angle, double scale) {
    boolean neighbours = pairing == Rope.Pairing.NEIGHBOURS;
    int a = head + (neighbours ? 2 * j : j);
    int b = neighbours ? a + 1 : a + half;
    double first = y[a];
    double second = y[b];
    y[a] = scale * (first * Math.cos(angle) - second * Math.sin(angle));
    y[b] = scale * (second * Math.cos(angle) + first * Math.sin(angle));
  }
}

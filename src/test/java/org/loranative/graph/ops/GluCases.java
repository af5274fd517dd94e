package org.loranative.graph.ops;

import java.util.List;
import java.util.Random;
import org.loranative.graph.ops.OpCase.Instance;
import org.loranative.testing.Bf16;

/** Cases of gated linear units. */
final class GluCases {
  private GluCases() {}

  static Instance packed(Random r, boolean gateFirst, Act act) {
    Instance c = new Instance();
    int rows = OpCases.between(r, 1, 9);
    int columns = OpCases.between(r, 1, 300); // more than a block of threads
    c.shape = rows + " x " + columns;
    c.differentiable.put("both", OpCases.normal(r, (long) rows * 2 * columns, 1.5));
    c.builder =
        (g, t) ->
            List.of(PackedGlu.of(g, OpCase.leaf(g, "both", t, rows, 2L * columns), gateFirst, act));
    c.reference =
        v -> {
          double[] y = new double[rows * columns];
          for (int i = 0; i < y.length; i++) {
            int at = i / columns * 2 * columns + i % columns;
            double gate = v.get("both")[gateFirst ? at : at + columns];
            double up = v.get("both")[gateFirst ? at + columns : at];
            y[i] = DiffusionCases.act(act, gate) * up;
          }
          return List.of(y);
        };
    return c;
  }

  /**
   * Of numbers that lie within the limits, beyond them, and far beyond.
   *
   * @param packed whether gate and up are columns in turn
   */
  static Instance clamped(Random r, boolean packed) {
    ClampedGlu.Setting setting = new ClampedGlu.Setting(1.702f, 3);
    int rows = OpCases.between(r, 1, 9);
    int columns = OpCases.between(r, 1, 300);
    float[][] halves = {awayFrom(setting, rows * columns, r), awayFrom(setting, rows * columns, r)};
    Instance c = new Instance();
    c.shape = rows + " x " + columns;
    if (packed) {
      float[] both = new float[2 * rows * columns];
      for (int i = 0; i < both.length; i++) {
        both[i] = halves[i % 2][i / 2];
      }
      c.differentiable.put("both", both);
      c.builder =
          (g, t) ->
              List.of(
                  PackedClampedGlu.of(g, OpCase.leaf(g, "both", t, rows, 2L * columns), setting));
    } else {
      c.differentiable.put("gate", halves[0]);
      c.differentiable.put("up", halves[1]);
      c.builder =
          (g, t) ->
              List.of(
                  ClampedGlu.of(
                      g,
                      OpCase.leaf(g, "gate", t, rows, columns),
                      OpCase.leaf(g, "up", t, rows, columns),
                      setting));
    }
    c.reference =
        v -> {
          double[] y = new double[rows * columns];
          for (int i = 0; i < y.length; i++) {
            double gate = packed ? v.get("both")[2 * i] : v.get("gate")[i];
            double up = packed ? v.get("both")[2 * i + 1] : v.get("up")[i];
            double bounded = Math.min(gate, 3);
            double answer = bounded / (1 + Math.exp(-setting.alpha() * bounded));
            y[i] = (Math.max(-3, Math.min(3, up)) + 1) * answer;
          }
          return List.of(y);
        };
    return c;
  }

  /** Not near a limit, where there is no derivative. */
  private static float[] awayFrom(ClampedGlu.Setting setting, int n, Random r) {
    float[] x = OpCases.normal(r, n, 2.5);
    for (int i = 0; i < n; i++) {
      if (Math.abs(Math.abs(x[i]) - setting.limit()) < 0.25) {
        x[i] *= r.nextBoolean() ? 0.5f : 2;
      }
    }
    return x;
  }

  static Instance glu(Random r, Act act) {
    return glu(act, r, OpCases.normal(r, OpCases.between(r, 1, 200), 2));
  }

  /** Gates of -3 to -1 alone: values near zero, of which every digit counts. */
  static Instance tail(Random r, Act act) {
    float[] gate = new float[OpCases.between(r, 1, 9)];
    for (int i = 0; i < gate.length; i++) {
      gate[i] = Bf16.round(-1 - 2 * r.nextFloat());
    }
    return glu(act, r, gate);
  }

  static Instance ends(Random r, Act act) {
    return glu(act, r, OpCases.far(r, OpCases.between(r, 10, 30), 1));
  }

  private static Instance glu(Act act, Random r, float[] gate) {
    Instance c = new Instance();
    int n = gate.length;
    c.differentiable.put("gate", gate);
    c.differentiable.put("up", OpCases.normal(r, n, 1));
    c.builder =
        (g, t) -> List.of(Glu.of(g, OpCase.leaf(g, "gate", t, n), OpCase.leaf(g, "up", t, n), act));
    c.reference =
        v -> {
          double[] y = new double[n];
          for (int i = 0; i < n; i++) {
            double z = v.get("gate")[i];
            double a = DiffusionCases.act(act, z);
            y[i] = a * v.get("up")[i];
          }
          return List.of(y);
        };
    return c;
  }
}

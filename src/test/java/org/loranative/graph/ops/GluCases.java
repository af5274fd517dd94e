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

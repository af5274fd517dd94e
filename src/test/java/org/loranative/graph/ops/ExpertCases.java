package org.loranative.graph.ops;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.OpCase.Instance;
import org.loranative.io.DType;
import org.loranative.testing.Bf16;

/** Cases of mixtures of experts: ragged counts, experts without rows, all rows with one. */
final class ExpertCases {
  private ExpertCases() {}

  /** How the drawn logits fall. */
  enum Spread {
    EVEN,
    /** All tokens like the same experts. */
    ONE
  }

  /**
   * Far apart, so that no rounding changes a choice: a token's logits are a shuffled ladder, with a
   * little noise that leaves their order.
   */
  private static float[] logits(Random r, int m, int e, Spread spread) {
    float[] z = new float[m * e];
    List<Integer> ladder = new ArrayList<>();
    for (int i = 0; i < e; i++) {
      ladder.add(i);
    }
    for (int row = 0; row < m; row++) {
      if (spread == Spread.EVEN) {
        java.util.Collections.shuffle(ladder, r);
      }
      for (int i = 0; i < e; i++) {
        z[row * e + i] = Bf16.round(0.25 * ladder.get(i) + 0.0625 * r.nextInt(2) - e / 8.0);
      }
    }
    return z;
  }

  /** A token's experts by falling logit, the lower first of equal ones. */
  private static List<Integer> chosen(double[] z, int m, int e, int k) {
    List<Integer> all = new ArrayList<>();
    for (int i = 0; i < e; i++) {
      all.add(i);
    }
    all.sort(Comparator.comparingDouble(i -> -z[m * e + i]));
    return all.subList(0, k);
  }

  private static double[] weights(double[] z, int m, int e, List<Integer> chosen, boolean norm) {
    double sum = 0;
    for (int i = 0; i < e; i++) {
      sum += norm && !chosen.contains(i) ? 0 : Math.exp(z[m * e + i]);
    }
    double all = sum;
    return chosen.stream().mapToDouble(i -> Math.exp(z[m * e + i]) / all).toArray();
  }

  static Instance route(Random r, boolean normalize) {
    int m = OpCases.between(r, 1, 40);
    int e = OpCases.between(r, 1, 70);
    int k = OpCases.between(r, 1, Math.min(e, 9));
    Instance c = new Instance();
    c.shape = m + " tokens, " + k + " of " + e;
    c.differentiable.put("z", logits(r, m, e, Spread.EVEN));
    c.builder =
        (g, t) -> List.of(Route.of(g, OpCase.leaf(g, "z", t, m, e), k, normalize).weights());
    c.reference =
        v -> {
          double[] y = new double[m * k];
          for (int i = 0; i < m; i++) {
            double[] z = v.get("z");
            System.arraycopy(weights(z, i, e, chosen(z, i, e, k), normalize), 0, y, i * k, k);
          }
          return List.of(y);
        };
    return c;
  }

  /** Groups of neighbours, some of one expert, and a bias that decides. */
  static Instance sigmoidRoute(Random r, boolean normalize) {
    // Few of a group: among many, two groups may be so near each other that a step of the numeric
    // derivative turns the choice.
    return sigmoidRoute(r, normalize, OpCases.between(r, 1, 8), 4, 0);
  }

  /** Logits from 7.5 to 9. */
  static Instance likedByAll(Random r, boolean normalize) {
    return sigmoidRoute(r, normalize, OpCases.between(r, 1, 2), 3, 8.25f);
  }

  /**
   * @param most experts of a group
   * @param middle of the logits
   */
  private static Instance sigmoidRoute(
      Random r, boolean normalize, int groups, int most, float middle) {
    int m = OpCases.between(r, 1, 40);
    // One expert that is divided by itself has no gradient.
    int least = normalize ? 2 : 1;
    int each = OpCases.between(r, least, most);
    int e = groups * each;
    int top = OpCases.between(r, 1, groups);
    int k = OpCases.between(r, least, Math.min(top * each, 9));
    float scale = 1.75f;
    // Ladders of sigmoid plus bias: no two experts or groups of a token are near each other.
    float[] bias = new float[e];
    for (int i = 0; i < e; i++) {
      bias[i] = (i * 7919 % 97) / 50f;
    }
    Instance c = new Instance();
    c.shape = m + " tokens, " + k + " of " + e + ", " + top + " of " + groups + " groups";
    float[] logits = logits(r, m, e, Spread.EVEN);
    for (int i = 0; i < logits.length; i++) {
      logits[i] = Bf16.round(logits[i] + middle);
    }
    c.differentiable.put("z", logits);
    c.fixed.put("bias", bias);
    SigmoidRoute.Setting setting = new SigmoidRoute.Setting(groups, top, normalize, scale);
    c.builder =
        (g, t) -> {
          Value b = OpCases.frozen(g, "bias", DType.F32, e);
          Value z = OpCase.leaf(g, "z", t, m, e);
          return List.of(SigmoidRoute.of(g, z, java.util.Optional.of(b), k, setting).weights());
        };
    c.reference =
        v -> {
          double[] y = new double[m * k];
          for (int i = 0; i < m; i++) {
            double[] s = new double[e];
            double[] value = new double[e];
            for (int j = 0; j < e; j++) {
              s[j] = 1 / (1 + Math.exp(-v.get("z")[i * e + j]));
              value[j] = s[j] + bias[j];
            }
            List<Integer> best = inBestGroups(value, groups, top).subList(0, k);
            double sum = best.stream().mapToDouble(j -> s[j]).sum();
            for (int j = 0; j < k; j++) {
              y[i * k + j] = scale * s[best.get(j)] / (normalize ? sum : 1);
            }
          }
          return List.of(y);
        };
    return c;
  }

  /** Experts of the best groups by falling value. */
  private static List<Integer> inBestGroups(double[] value, int groups, int top) {
    int each = value.length / groups;
    double[] worth = new double[groups];
    for (int g = 0; g < groups; g++) {
      double[] own = java.util.Arrays.copyOfRange(value, g * each, (g + 1) * each);
      java.util.Arrays.sort(own);
      worth[g] = own[each - 1] + (each > 1 ? own[each - 2] : 0);
    }
    List<Integer> order = new ArrayList<>();
    for (int g = 0; g < groups; g++) {
      order.add(g);
    }
    order.sort(Comparator.comparingDouble(g -> -worth[g]));
    List<Integer> experts = new ArrayList<>();
    order
        .subList(0, top)
        .forEach(
            g -> {
              for (int j = 0; j < each; j++) {
                experts.add(g * each + j);
              }
            });
    experts.sort(Comparator.comparingDouble(j -> -value[j]));
    return experts;
  }

  /** A bias of each expert on the rows that go to it. */
  static Instance bias(Random r) {
    int m = OpCases.between(r, 1, 90);
    int e = OpCases.between(r, 1, 9);
    int k = OpCases.between(r, 1, Math.min(e, 4));
    int columns = OpCases.between(r, 1, 80);
    float[] bias = OpCases.normal(r, (long) e * columns, 1);
    Instance c = new Instance();
    c.shape = m + " tokens, " + k + " of " + e + ", " + columns + " columns";
    c.gradientSlack = 4; // as in mixture
    c.differentiable.put("z", logits(r, m, e, Spread.EVEN));
    c.differentiable.put("x", OpCases.normal(r, (long) m * columns, 1));
    c.fixed.put("bias", bias);
    c.builder =
        (g, t) -> {
          Route route = Route.of(g, OpCase.leaf(g, "z", t, m, e), k, true);
          Value rows = GatherRows.of(g, OpCase.leaf(g, "x", t, m, columns), route);
          Value b = OpCases.frozen(g, "bias", DType.F32, e, columns);
          return List.of(CombineRows.of(g, ExpertBias.of(g, "y", rows, b, route), route));
        };
    c.reference =
        v -> {
          double[] y = new double[m * columns];
          for (int i = 0; i < m; i++) {
            List<Integer> experts = chosen(v.get("z"), i, e, k);
            double[] weights = weights(v.get("z"), i, e, experts, true);
            for (int j = 0; j < k; j++) {
              for (int o = 0; o < columns; o++) {
                y[i * columns + o] +=
                    weights[j] * (v.get("x")[i * columns + o] + bias[experts.get(j) * columns + o]);
              }
            }
          }
          return List.of(y);
        };
    return c;
  }

  /** A whole mixture whose experts are one matrix each. */
  static Instance mixture(Random r, Spread spread, int unit) {
    int m = OpCases.between(r, 1, 90);
    int e = OpCases.between(r, 2, 9);
    int k = OpCases.between(r, 1, Math.min(e, 4));
    int in = unit * OpCases.between(r, 1, 80 / unit);
    int out = unit * OpCases.between(r, 1, 80 / unit);
    boolean normalize = r.nextBoolean();
    Instance c = new Instance();
    c.shape = m + " tokens, " + k + " of " + e + ", " + in + " to " + out;
    c.gradientSlack = 4; // what experts say is rounded before it is added and multiplied
    c.differentiable.put("z", logits(r, m, e, spread));
    c.differentiable.put("x", OpCases.normal(r, (long) m * in, 1));
    c.fixed.put("w", OpCases.normal(r, (long) e * out * in, 0.5));
    c.fixed.put("v", OpCases.normal(r, (long) e * out * in, 0.5));
    c.builder =
        (g, t) -> {
          Route route = Route.of(g, OpCase.leaf(g, "z", t, m, e), k, normalize);
          Value rows = GatherRows.of(g, OpCase.leaf(g, "x", t, m, in), route);
          return List.of(
              CombineRows.of(g, product(g, "w", t, rows, route, e, out, in), route),
              CombineRows.of(g, product(g, "v", t, rows, route, e, out, in), route));
        };
    c.reference =
        v -> {
          double[] z = v.get("z");
          double[] first = new double[m * out];
          double[] second = new double[m * out];
          for (int i = 0; i < m; i++) {
            List<Integer> experts = chosen(z, i, e, k);
            double[] weights = weights(z, i, e, experts, normalize);
            for (int j = 0; j < k; j++) {
              add(first, i, weights[j], v.get("w"), experts.get(j), v.get("x"), out, in);
              add(second, i, weights[j], v.get("v"), experts.get(j), v.get("x"), out, in);
            }
          }
          return List.of(first, second);
        };
    return c;
  }

  /** Experts with adapters, of which some see no row. */
  static Instance adapted(Random r, Spread spread, int unit) {
    int m = OpCases.between(r, 5, 60);
    int e = OpCases.between(r, 2, 9);
    int k = OpCases.between(r, 1, Math.min(e, 4));
    int in = unit * OpCases.between(r, Math.max(1, 9 / unit), 80 / unit);
    int out = unit * OpCases.between(r, Math.max(1, 9 / unit), 80 / unit);
    int rank = unit * OpCases.between(r, 1, 12 / unit);
    float scale = 0.75f;
    Instance c = new Instance();
    c.shape = m + " tokens, " + k + " of " + e + ", " + in + " to " + out + ", rank " + rank;
    c.gradientSlack = 4; // as in mixture
    c.differentiable.put("z", logits(r, m, e, spread));
    c.differentiable.put("x", OpCases.normal(r, (long) m * in, 1));
    c.differentiable.put("a", OpCases.normal(r, (long) e * rank * in, 0.5));
    c.differentiable.put("b", OpCases.normal(r, (long) e * out * rank, 0.5));
    c.fixed.put("w", OpCases.normal(r, (long) e * out * in, 0.5));
    c.builder =
        (g, t) -> {
          Route route = Route.of(g, OpCase.leaf(g, "z", t, m, e), k, true);
          Value rows = GatherRows.of(g, OpCase.leaf(g, "x", t, m, in), route);
          Value w = OpCases.frozen(g, "w", t, e, out, in);
          LowRank adapters =
              LowRank.of(
                  g,
                  g.named(Kind.PARAM, "a", DType.F32, Shape.of(e, rank, in)),
                  g.named(Kind.PARAM, "b", DType.F32, Shape.of(e, out, rank)),
                  t);
          return List.of(
              CombineRows.of(
                  g, LoraExpertLinear.of(g, "y", rows, w, route, adapters, scale), route));
        };
    c.reference =
        v -> {
          double[] z = v.get("z");
          double[] y = new double[m * out];
          for (int i = 0; i < m; i++) {
            List<Integer> experts = chosen(z, i, e, k);
            double[] weights = weights(z, i, e, experts, true);
            for (int j = 0; j < k; j++) {
              int expert = experts.get(j);
              add(y, i, weights[j], v.get("w"), expert, v.get("x"), out, in);
              double[] low = new double[(i + 1) * rank];
              add(low, i, weights[j] * scale, v.get("a"), expert, v.get("x"), rank, in);
              add(y, i, 1, v.get("b"), expert, low, out, rank);
            }
          }
          return List.of(y);
        };
    return c;
  }

  private static Value product(
      Graph g, String name, DType t, Value rows, Routed route, int e, int out, int in) {
    return ExpertLinear.of(g, name, rows, OpCases.frozen(g, name, t, e, out, in), route);
  }

  private static void add(
      double[] y, int m, double weight, double[] w, int expert, double[] x, int out, int in) {
    for (int o = 0; o < out; o++) {
      double sum = 0;
      for (int i = 0; i < in; i++) {
        sum += w[(expert * out + o) * in + i] * x[m * in + i];
      }
      y[m * out + o] += weight * sum;
    }
  }
}

package org.loranative.graph.ops;

import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.loranative.graph.ops.OpCase.Instance;
import org.loranative.io.DType;
import org.loranative.testing.Bf16;

/** Cases of layers that read their document token by token, over several chunks of a row. */
final class DeltaCases {
  private DeltaCases() {}

  /** First tokens of documents, short ones and such as cross several chunks. */
  static int[] documents(Random r, int m) {
    int[] start = new int[m];
    int rare = r.nextBoolean() ? 90 : 12;
    for (int i = 1; i < m; i++) {
      start[i] = r.nextInt(rare) == 0 || i % 64 == 0 && r.nextInt(4) == 0 ? i : start[i - 1];
    }
    return start;
  }

  static Instance shortConv(Random r) {
    int m = OpCases.between(r, 1, 60);
    int channels = OpCases.between(r, 1, 140);
    int taps = OpCases.between(r, 1, 5);
    int[] start = documents(r, m);
    Instance c = new Instance();
    c.shape = m + " tokens, " + channels + " channels, " + taps + " taps";
    c.differentiable.put("x", OpCases.normal(r, (long) m * channels, 1));
    c.fixed.put("w", OpCases.normal(r, (long) channels * taps, 0.7));
    c.fixed.put("doc_start", start);
    c.builder =
        (g, t) ->
            List.of(
                ShortConv.of(
                    g,
                    "y",
                    OpCase.leaf(g, "x", t, m, channels),
                    OpCases.frozen(g, "w", DType.F32, channels, taps),
                    g.input("doc_start", DType.I32, m)));
    c.reference = v -> List.of(convolved(v.get("x"), v.get("w"), start, channels, taps));
    return c;
  }

  static double[] convolved(double[] x, double[] w, int[] start, int channels, int taps) {
    double[] y = new double[x.length];
    for (int i = 0; i < start.length; i++) {
      for (int c = 0; c < channels; c++) {
        double z = 0;
        for (int back = 0; back < taps && i - back >= start[i]; back++) {
          z += w[c * taps + taps - 1 - back] * x[(i - back) * channels + c];
        }
        y[i * channels + c] = z / (1 + Math.exp(-z));
      }
    }
    return y;
  }

  static Instance gates(Random r) {
    int m = OpCases.between(r, 1, 50);
    int heads = OpCases.between(r, 1, 9);
    return gates(r, m, heads, OpCases.normal(r, (long) m * heads, 2));
  }

  static Instance openOrShut(Random r) {
    int m = OpCases.between(r, 10, 50);
    int heads = OpCases.between(r, 1, 9);
    return gates(r, m, heads, OpCases.far(r, (long) m * heads, 1));
  }

  private static Instance gates(Random r, int m, int heads, float[] b) {
    Instance c = new Instance();
    c.shape = m + " tokens, " + heads + " heads";
    c.differentiable.put("a", OpCases.normal(r, (long) m * heads, 4));
    c.differentiable.put("b", b);
    c.fixed.put("a_log", OpCases.normal(r, heads, 1));
    c.fixed.put("dt_bias", OpCases.normal(r, heads, 1));
    c.builder =
        (g, t) -> {
          DeltaGates gates =
              DeltaGates.of(
                  g,
                  OpCase.leaf(g, "a", t, m, heads),
                  OpCase.leaf(g, "b", t, m, heads),
                  OpCases.frozen(g, "a_log", DType.F32, heads),
                  OpCases.frozen(g, "dt_bias", DType.F32, heads));
          return List.of(gates.g(), gates.beta());
        };
    c.reference =
        v -> {
          double[] g = new double[m * heads];
          double[] beta = new double[m * heads];
          for (int i = 0; i < g.length; i++) {
            double x = v.get("a")[i] + v.get("dt_bias")[i % heads];
            g[i] = -Math.exp(v.get("a_log")[i % heads]) * Math.log1p(Math.exp(x));
            beta[i] = 1 / (1 + Math.exp(-v.get("b")[i]));
          }
          return List.of(g, beta);
        };
    return c;
  }

  /** Drawn numbers of the rule's inputs, as gates and lengths of 1 would have them. */
  static void inputs(Random r, Instance c, int m, DeltaRule.Heads h) {
    inputs(r, c, m, h, Memory.USUAL);
  }

  /** How much -g may be: {@code mostly}, and {@code then} at one of {@code rare} tokens. */
  private record Memory(double mostly, int rare, double then) {
    static final Memory USUAL = new Memory(0.15, 30, 9);
  }

  private static void inputs(Random r, Instance c, int m, DeltaRule.Heads h, Memory memory) {
    double length = Math.sqrt(h.keyWidth());
    c.differentiable.put("q", OpCases.normal(r, m * h.keyHeads() * h.keyWidth(), 1 / length));
    c.differentiable.put("k", OpCases.normal(r, m * h.keyHeads() * h.keyWidth(), 0.9 / length));
    c.differentiable.put("v", OpCases.normal(r, m * h.heads() * h.width(), 1));
    float[] g = new float[(int) (m * h.heads())];
    float[] beta = new float[g.length];
    for (int i = 0; i < g.length; i++) {
      boolean forgets = r.nextInt(memory.rare) == 0;
      g[i] = Bf16.round(-r.nextDouble() * (forgets ? memory.then : memory.mostly));
      beta[i] = Bf16.round(0.02 + 0.9 * r.nextDouble());
    }
    c.differentiable.put("g", g);
    c.differentiable.put("beta", beta);
  }

  static DeltaRule.Heads heads(Random r, int unit) {
    int keyHeads = OpCases.between(r, 1, 2);
    return new DeltaRule.Heads(
        keyHeads,
        keyHeads * OpCases.between(r, 1, 3),
        unit * OpCases.between(r, 1, 28 / unit),
        unit * OpCases.between(r, 1, 28 / unit));
  }

  static Instance rule(Random r, int mostTokens, DeltaRule.Heads h) {
    return rule(r, documents(r, OpCases.between(r, 1, mostTokens)), h, Memory.USUAL);
  }

  /** One document, longer than two chunks, which remembers nearly all. */
  static Instance longRule(Random r) {
    DeltaRule.Heads one = new DeltaRule.Heads(1, 1, OpCases.between(r, 1, 20), 20);
    return rule(r, new int[OpCases.between(r, 130, 160)], one, new Memory(2e-3, 1000, 0));
  }

  /** Of a state of which e^-60 may be left behind a token. */
  static Instance forgetfulRule(Random r) {
    DeltaRule.Heads one = new DeltaRule.Heads(1, 1, OpCases.between(r, 1, 20), 20);
    Memory memory = r.nextBoolean() ? new Memory(0.15, 3, 60) : new Memory(0, 1, 20);
    return rule(r, documents(r, OpCases.between(r, 1, 100)), one, memory);
  }

  /** Documents of one token, which have no state to forget: g has no gradient, to the bit. */
  static Instance ruleOfOneToken(Random r) {
    int[] start = IntStream.range(0, OpCases.between(r, 1, 70)).toArray();
    return rule(r, start, heads(r, 1), Memory.USUAL);
  }

  private static Instance rule(Random r, int[] start, DeltaRule.Heads h, Memory memory) {
    int m = start.length;
    Instance c = new Instance();
    c.shape = m + " tokens, " + h;
    c.gradientSlack = 2; // hundreds of roundings one behind the other
    inputs(r, c, m, h, memory);
    c.fixed.put("doc_start", start);
    long keys = h.keyHeads() * h.keyWidth();
    c.builder =
        (g, t) ->
            List.of(
                DeltaRule.of(
                    g,
                    "o",
                    OpCase.leaf(g, "q", t, m, keys),
                    OpCase.leaf(g, "k", t, m, keys),
                    OpCase.leaf(g, "v", t, m, h.heads() * h.width()),
                    OpCase.leaf(g, "g", DType.F32, m, h.heads()),
                    OpCase.leaf(g, "beta", DType.F32, m, h.heads()),
                    g.input("doc_start", DType.I32, m),
                    h));
    c.reference =
        v ->
            List.of(
                answers(v.get("q"), v.get("k"), v.get("v"), v.get("g"), v.get("beta"), start, h));
    return c;
  }

  static double[] answers(
      double[] q,
      double[] k,
      double[] v,
      double[] g,
      double[] beta,
      int[] start,
      DeltaRule.Heads h) {
    int m = start.length;
    int heads = (int) h.heads();
    int keyHeads = (int) h.keyHeads();
    int wide = (int) h.keyWidth();
    int n = (int) h.width();
    double[] o = new double[m * heads * n];
    for (int head = 0; head < heads; head++) {
      int keyHead = head / (heads / keyHeads);
      double[][] s = new double[n][wide]; // a row for each value channel: read in its order
      for (int i = 0; i < m; i++) {
        int at = (i * keyHeads + keyHead) * wide;
        int out = (i * heads + head) * n;
        double keep = start[i] == i ? 0 : Math.exp(g[i * heads + head]);
        for (int b = 0; b < n; b++) {
          double[] row = s[b];
          double read = 0;
          for (int a = 0; a < wide; a++) {
            row[a] *= keep;
            read += row[a] * k[at + a];
          }
          double delta = beta[i * heads + head] * (v[out + b] - read);
          double answer = 0;
          for (int a = 0; a < wide; a++) {
            row[a] += k[at + a] * delta;
            answer += row[a] * q[at + a];
          }
          o[out + b] = answer;
        }
      }
    }
    return o;
  }
}

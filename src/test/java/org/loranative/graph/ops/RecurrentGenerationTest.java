package org.loranative.graph.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.OpCase.Instance;
import org.loranative.io.DType;
import org.loranative.testing.Errors;
import org.loranative.testing.GraphRunner;
import org.loranative.testing.Seeded;
import org.loranative.testing.TestDevices;

/** Tokens in pieces of any length, behind a state, give what the whole document at once gives. */
@ExtendWith(Seeded.class)
class RecurrentGenerationTest {
  private static final int PIECE = 9;
  private static final int DRAWS = 4;

  /**
   * Runs a graph of {@link #PIECE} tokens over all rows, twice: the second from the start again.
   */
  private static float[] inPieces(
      Device device, Graph g, Value y, Map<String, float[]> rows, int tokens, Random r) {
    g.result(y);
    float[] all = new float[(int) (tokens * y.shape().last())];
    try (GraphRunner runner = new GraphRunner(g, device)) {
      rows.forEach(
          (name, x) -> {
            if (g.named().get(name).kind() == Kind.WEIGHT) {
              runner.set(name, x);
            }
          });
      for (int start = 0, round = 0; round < 2; start = start == tokens ? 0 : start) {
        int count = Math.min(tokens - start, 1 + r.nextInt(PIECE));
        Map<String, Object> inputs = new HashMap<>();
        for (Map.Entry<String, float[]> e : rows.entrySet()) {
          Value v = g.named().get(e.getKey());
          if (v.kind() == Kind.INPUT) {
            int width = (int) v.shape().last();
            float[] piece =
                Arrays.copyOfRange(
                    e.getValue(), start * width, Math.min(start + PIECE, tokens) * width);
            inputs.put(e.getKey(), Arrays.copyOf(piece, PIECE * width));
          }
        }
        inputs.put("start", new int[] {start});
        inputs.put("count", new int[] {count});
        runner.run(inputs);
        int width = (int) y.shape().last();
        float[] some = runner.result(y);
        System.arraycopy(some, 0, all, start * width, count * width);
        assertThat(Arrays.copyOfRange(some, count * width, some.length))
            .as("behind the last real token")
            .isEqualTo(new float[some.length - count * width]);
        start += count;
        round += start == tokens ? 1 : 0;
      }
    }
    return all;
  }

  private static Value row(Graph g, String name, long width) {
    return g.input(name, DType.F32, PIECE, width);
  }

  private static Value one(Graph g, String name) {
    return g.input(name, DType.I32, 1);
  }

  private static double[] wide(float[] x) {
    double[] y = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = x[i];
    }
    return y;
  }

  private static float[] narrow(double[] x) {
    float[] y = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = (float) x[i];
    }
    return y;
  }

  @ParameterizedTest
  @MethodSource("org.loranative.testing.TestDevices#models")
  void deltaRule(String name, Random r) {
    try (Device device = TestDevices.open(name)) {
      for (int draw = 0; draw < DRAWS; draw++) {
        DeltaRule.Heads h = DeltaCases.heads(r, 1);
        int tokens = OpCases.between(r, 1, 60);
        Instance c = new Instance();
        DeltaCases.inputs(r, c, tokens, h);
        Graph g = new Graph();
        long keys = h.keyHeads() * h.keyWidth();
        Value o =
            CachedDeltaRule.of(
                g,
                "o",
                row(g, "q", keys),
                row(g, "k", keys),
                row(g, "v", h.heads() * h.width()),
                row(g, "g", h.heads()),
                row(g, "beta", h.heads()),
                one(g, "start"),
                one(g, "count"),
                g.named(Kind.STATE, "state", DType.F32, h.state()),
                h);
        Map<String, float[]> x = c.differentiable;
        double[] expected =
            DeltaCases.answers(
                wide(x.get("q")),
                wide(x.get("k")),
                wide(x.get("v")),
                wide(x.get("g")),
                wide(x.get("beta")),
                new int[tokens],
                h);
        assertThat(Errors.relative(inPieces(device, g, o, x, tokens, r), narrow(expected)))
            .as("%d tokens, %s, %s", tokens, h, Seeded.again())
            .isLessThan(5e-6);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("org.loranative.testing.TestDevices#models")
  void shortConv(String name, Random r) {
    try (Device device = TestDevices.open(name)) {
      for (int draw = 0; draw < DRAWS; draw++) {
        int tokens = OpCases.between(r, 1, 60);
        int channels = OpCases.between(r, 1, 150);
        int taps = OpCases.between(r, 2, 5);
        Map<String, float[]> x =
            Map.of(
                "x", OpCases.normal(r, (long) tokens * channels, 1),
                "w", OpCases.normal(r, (long) channels * taps, 0.7));
        Graph g = new Graph();
        Value y =
            CachedShortConv.of(
                g,
                "y",
                row(g, "x", channels),
                OpCases.frozen(g, "w", DType.F32, channels, taps),
                one(g, "start"),
                one(g, "count"),
                g.named(Kind.STATE, "tail", DType.F32, Shape.of(taps - 1, channels)));
        double[] expected =
            DeltaCases.convolved(
                wide(x.get("x")), wide(x.get("w")), new int[tokens], channels, taps);
        assertThat(Errors.relative(inPieces(device, g, y, x, tokens, r), narrow(expected)))
            .as("%d tokens, %d channels, %d taps, %s", tokens, channels, taps, Seeded.again())
            .isLessThan(5e-6);
      }
    }
  }
}

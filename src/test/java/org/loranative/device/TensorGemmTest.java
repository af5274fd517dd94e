package org.loranative.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Linear;
import org.loranative.io.DType;
import org.loranative.testing.Bf16;
import org.loranative.testing.Errors;
import org.loranative.testing.GraphRunner;
import org.loranative.testing.Seeded;
import org.loranative.testing.TestDevices;

/** The tensor-core product on the emulator over tile edges: ragged rows, columns and depths. */
@ExtendWith(Seeded.class)
class TensorGemmTest {
  @ParameterizedTest
  @ValueSource(strings = {"cuda-emu", "cuda-check"})
  void equalsALoop(String name, Random seeded) {
    Random r = new Random(seeded.nextLong());
    int m = 1 + r.nextInt(150);
    int in = 8 * (1 + r.nextInt(14));
    int out = 1 + r.nextInt(150);
    float[] x = numbers(r, m * in);
    float[] w = numbers(r, out * in);
    Graph g = new Graph();
    Value y =
        Linear.of(
            g,
            "y",
            g.input("x", DType.BF16, m, in),
            g.named(Kind.WEIGHT, "w", DType.BF16, Shape.of(out, in)),
            java.util.Optional.empty(),
            DType.F32);
    g.result(y);
    double[] expected = new double[m * out];
    for (int i = 0; i < m; i++) {
      for (int o = 0; o < out; o++) {
        for (int k = 0; k < in; k++) {
          expected[i * out + o] += (double) x[i * in + k] * w[o * in + k];
        }
      }
    }
    try (Device device = TestDevices.open(name);
        GraphRunner runner = new GraphRunner(g, device)) {
      runner.set("w", w);
      runner.run(Map.of("x", x));
      assertThat(Errors.relative(runner.result("y"), expected))
          .as("%d x %d x %d", m, out, in)
          .isLessThan(1e-5);
    }
  }

  private static float[] numbers(Random r, int n) {
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = Bf16.round(r.nextGaussian());
    }
    return x;
  }
}

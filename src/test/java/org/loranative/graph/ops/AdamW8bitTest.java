package org.loranative.graph.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.StepState;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.testing.Golden;
import org.loranative.testing.GraphRunner;
import org.loranative.testing.TestDevices;

/** AdamW with moments of 8 bits against bitsandbytes' AdamW8bit, over ten steps. */
class AdamW8bitTest {
  private static final int STEPS = 10;

  @ParameterizedTest
  @MethodSource("org.loranative.testing.TestDevices#ops")
  void followsBitsandbytes(String deviceName) {
    Golden golden = new Golden(Golden.FOLDER.resolve("adamw8bit.safetensors"));
    float[] start = golden.floats("start");
    float[] grads = golden.floats("grads");
    float[] expected = golden.floats("final");
    int n = start.length;
    float[] codes = new float[512];
    float[] positive = new float[256];
    LoraOps.ln_dynamic_codes(codes, positive);
    System.arraycopy(positive, 0, codes, 256, 256);
    assertThat(codes).isEqualTo(golden.floats("codes"));

    int blocks = (n + AdamW8bit.BLOCK - 1) / AdamW8bit.BLOCK;
    Graph g = new Graph();
    Value clip = g.named(Kind.STATE, "clip", DType.F32, Shape.of(2));
    AdamW8bit.of(
        g,
        g.named(Kind.STATE, "p", DType.F32, Shape.of(n)),
        g.named(Kind.STATE, "grads", DType.F32, Shape.of(n)),
        new AdamW8bit.QuantizedMoments(
            g.named(Kind.STATE, "m", DType.U8, Shape.of(n)),
            g.named(Kind.STATE, "v", DType.U8, Shape.of(n)),
            g.named(Kind.STATE, "m.scale", DType.F32, Shape.of(blocks)),
            g.named(Kind.STATE, "v.scale", DType.F32, Shape.of(blocks)),
            g.named(Kind.STATE, "codes", DType.F32, Shape.of(512))),
        clip,
        new ParameterRange(0, n, 1),
        new AdamW.Setting(0.9f, 0.999f, 1e-8f, 0.01f));
    try (Device device = TestDevices.open(deviceName);
        GraphRunner runner = new GraphRunner(g, device)) {
      runner.set("p", start).set("codes", codes).set("clip", new float[] {1, 1});
      for (int t = 1; t <= STEPS; t++) {
        runner.set("grads", Arrays.copyOfRange(grads, (t - 1) * n, t * n));
        runner.setBytes("step", new StepState(1, t, 0, 1e-2, 0.9, 0.999, 1)::write);
        runner.run(Map.of());
        assertThat(runner.get("grads")).containsOnly(0f);
      }
      float[] actual = runner.get("p");
      double difference = 0;
      double moved = 0;
      int far = 0;
      for (int i = 0; i < n; i++) {
        difference += Math.abs(actual[i] - expected[i]);
        moved += Math.abs(expected[i] - start[i]);
        far += Math.abs(actual[i] - expected[i]) > 0.02 * Math.abs(expected[i] - start[i]) ? 1 : 0;
      }
      // Sums in another order push a number over the middle between two codes here and there.
      assertThat(difference / moved).isLessThan(1e-3);
      assertThat(far).isLessThan(n / 100);
      // A step that overflowed changes nothing.
      runner.set("clip", new float[] {Float.POSITIVE_INFINITY, 0});
      runner.set("grads", Arrays.copyOf(grads, n));
      runner.run(Map.of());
      assertThat(runner.get("p")).isEqualTo(actual);
    }
  }
}

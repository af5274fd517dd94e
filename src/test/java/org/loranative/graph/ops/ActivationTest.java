package org.loranative.graph.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.testing.GraphRunner;
import org.loranative.testing.TestDevices;

/** What activations make of what is no number: a NaN that vanished would leave a loss in order. */
class ActivationTest {
  static List<String> devices() {
    return TestDevices.ops();
  }

  @ParameterizedTest
  @MethodSource("devices")
  void keepNaN(String name) {
    Graph g = new Graph();
    Value x = g.named(Kind.STATE, "x", DType.F32, Shape.of(3, 8));
    Map<Act, Value> outputs = new EnumMap<>(Act.class);
    for (Act act : Act.values()) {
      Value y = Activation.of(g, x, act);
      g.result(y);
      outputs.put(act, y);
    }
    float[] given = new float[24];
    Arrays.fill(given, 8, 24, Float.NaN);
    try (Device device = TestDevices.open(name);
        GraphRunner runner = new GraphRunner(g, device)) {
      runner.set("x", given).run(Map.of());
      outputs.forEach(
          (act, y) -> {
            float[] actual = runner.result(y);
            for (int i = 0; i < actual.length; i++) {
              assertThat(Float.isNaN(actual[i])).as("%s of %s", act, given[i]).isEqualTo(i >= 8);
            }
          });
    }
  }
}

package org.loranative.graph;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.loranative.device.CpuDevice;
import org.loranative.device.Device;
import org.loranative.graph.ops.Add;
import org.loranative.io.DType;
import org.loranative.testing.GraphRunner;
import org.loranative.testing.Seeded;

/** Random graphs: planned memory never mixes two live values up, and is reused. */
@ExtendWith(Seeded.class)
class PlannerTest {
  /** Sums of random earlier values; results at the end are checked against plain arithmetic. */
  @RepeatedTest(20)
  void randomGraphsComputeWhatTheySay(Random r) {
    int n = 1 + r.nextInt(100);
    Graph g = new Graph();
    List<Value> values = new ArrayList<>();
    List<double[]> expected = new ArrayList<>();
    Map<String, Object> inputs = new HashMap<>();
    for (int i = 0; i < 3; i++) {
      float[] x = new float[n];
      double[] wide = new double[n];
      for (int k = 0; k < n; k++) {
        x[k] = r.nextInt(8);
        wide[k] = x[k];
      }
      values.add(g.input("in" + i, DType.F32, n));
      expected.add(wide);
      inputs.put("in" + i, x);
    }
    for (int i = 0; i < 60; i++) {
      int a = Math.max(0, values.size() - 1 - r.nextInt(8));
      int b = Math.max(0, values.size() - 1 - r.nextInt(8));
      values.add(Add.of(g, values.get(a), values.get(b)));
      double[] sum = new double[n];
      for (int k = 0; k < n; k++) {
        sum[k] = (float) (expected.get(a)[k] + expected.get(b)[k]);
      }
      expected.add(sum);
    }
    List<Integer> results = List.of(10 + r.nextInt(20), values.size() - 1);
    results.forEach(i -> g.result(values.get(i)));
    try (Device device = new CpuDevice(1);
        GraphRunner runner = new GraphRunner(g, device)) {
      runner.run(inputs);
      for (int i : results) {
        float[] actual = runner.result(values.get(i));
        for (int k = 0; k < n; k++) {
          assertThat((double) actual[k]).isEqualTo(expected.get(i)[k]);
        }
      }
      long all = 63L * Planner.align(n * 4L);
      assertThat(runner.plan().arenaBytes()).isLessThan(all / 2);
    }
  }

  @Test
  void aValueNobodyMadeIsNamed() {
    Graph g = new Graph();
    Value lost = g.temp("lost", DType.F32, Shape.of(3));
    g.result(Add.of(g, lost, lost));
    try (Device device = new CpuDevice(1)) {
      org.assertj.core.api.Assertions.assertThatThrownBy(() -> Planner.plan(g, device))
          .hasMessageContaining("plan line 0 (add) reads lost[3] F32, which nobody made");
    }
  }

  @Test
  void stepStateLiesAsTheHeaderSays() {
    java.nio.ByteBuffer b =
        java.nio.ByteBuffer.allocate(StepState.BYTES).order(java.nio.ByteOrder.LITTLE_ENDIAN);
    new StepState(7, 3, 2, 0.5, 0.9, 0.99, 4).write(b);
    assertThat(b.getLong(0)).isEqualTo(7);
    assertThat(b.getInt(8)).isEqualTo(3);
    assertThat(b.getInt(12)).isEqualTo(2);
    assertThat(b.getFloat(16)).isEqualTo(0.5f);
    assertThat(b.getFloat(20)).isEqualTo((float) (1 - Math.pow(0.9, 3)));
    assertThat(b.getFloat(24)).isEqualTo((float) (1 - Math.pow(0.99, 3)));
    assertThat(b.getFloat(28)).isEqualTo(0.25f);
    assertThat(StepState.BYTES).isEqualTo(org.loranative.device.LoraOps.LN_STEP_BYTES);
  }
}

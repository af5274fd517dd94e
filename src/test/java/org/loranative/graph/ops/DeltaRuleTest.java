package org.loranative.graph.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.loranative.device.CpuDevice;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.OpCase.Instance;
import org.loranative.io.DType;
import org.loranative.testing.GraphRunner;
import org.loranative.testing.Seeded;

/** What {@link OpTest} cannot ask of the delta rule. */
@ExtendWith(Seeded.class)
class DeltaRuleTest {
  /** A head's columns are divided among threads where there are more of them than key heads. */
  @Test
  void countOfThreadsChangesNoBit(Random r) {
    DeltaRule.Heads heads = new DeltaRule.Heads(2, 6, 40, 75);
    int[] start = DeltaCases.documents(r, 200);
    Instance c = new Instance();
    DeltaCases.inputs(r, c, start.length, heads);
    float[] one = answers(c.differentiable, start, heads, 1);
    for (int threads : new int[] {2, 3, 8, 64}) {
      assertThat(answers(c.differentiable, start, heads, threads))
          .as("%d threads, %s", threads, Seeded.again())
          .isEqualTo(one);
    }
  }

  private static float[] answers(
      Map<String, float[]> x, int[] start, DeltaRule.Heads h, int threads) {
    int m = start.length;
    Graph g = new Graph();
    Value o =
        DeltaRule.of(
            g,
            "o",
            g.input("q", DType.F32, m, h.keyHeads() * h.keyWidth()),
            g.input("k", DType.F32, m, h.keyHeads() * h.keyWidth()),
            g.input("v", DType.F32, m, h.heads() * h.width()),
            g.input("g", DType.F32, m, h.heads()),
            g.input("beta", DType.F32, m, h.heads()),
            g.input("doc_start", DType.I32, m),
            h);
    g.result(o);
    try (Device device = new CpuDevice(threads);
        GraphRunner runner = new GraphRunner(g, device)) {
      runner.run(
          Map.of(
              "q", x.get("q"),
              "k", x.get("k"),
              "v", x.get("v"),
              "g", x.get("g"),
              "beta", x.get("beta"),
              "doc_start", start));
      return runner.result(o);
    }
  }
}

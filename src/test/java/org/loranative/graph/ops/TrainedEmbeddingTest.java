package org.loranative.graph.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.loranative.device.Device;
import org.loranative.graph.Autodiff;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.StepState;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.testing.Errors;
import org.loranative.testing.GraphRunner;
import org.loranative.testing.Rounded;
import org.loranative.testing.Seeded;
import org.loranative.testing.TestDevices;

/**
 * The gradients of an embedding and a head that are trained, in f64: both add to what is there, and
 * give the same bits each time.
 */
@ExtendWith(Seeded.class)
class TrainedEmbeddingTest {
  static Stream<Arguments> all() {
    List<Arguments> all = new ArrayList<>();
    for (String device : TestDevices.OPS) {
      for (DType dtype : List.of(DType.F32, DType.BF16, DType.F16)) {
        if (dtype != DType.F16 || !device.equals("cpu")) {
          all.add(Arguments.of(device, dtype, true));
          all.add(Arguments.of(device, dtype, false));
        }
      }
    }
    return all.stream();
  }

  /**
   * @param even rows that are whole chunks of 16 bytes, or not
   */
  @ParameterizedTest
  @MethodSource("all")
  void embedding(String deviceName, DType dtype, boolean even, Random r) {
    int columns = even ? 8 * (1 + r.nextInt(3)) : 1 + r.nextInt(20);
    int vocab = 40 + r.nextInt(40);
    int rows = 280 + r.nextInt(300); // more than a block looks at together
    int[] ids = new int[rows];
    for (int m = 0; m < rows; m++) {
      ids[m] = r.nextInt(5) == 0 ? 7 : r.nextInt(vocab); // one that is met often
    }
    float[] w = OpCases.normal(r, vocab * columns, 1);
    float[] dy = Rounded.to(OpCases.normal(r, rows * columns, 1), dtype);
    float[] before = OpCases.normal(r, vocab * columns, 1);
    float scale = 0.5f;
    double[] y = new double[rows * columns];
    double[] dw = new double[vocab * columns];
    for (int i = 0; i < dw.length; i++) {
      dw[i] = before[i];
    }
    for (int m = 0; m < rows; m++) {
      for (int c = 0; c < columns; c++) {
        y[m * columns + c] = scale * w[ids[m] * columns + c];
        dw[ids[m] * columns + c] += scale * dy[m * columns + c];
      }
    }

    Graph g = new Graph();
    Value table = g.named(Kind.PARAM, "w", DType.F32, Shape.of(vocab, columns));
    Value out = Embedding.of(g, g.input("ids", DType.I32, rows), table, dtype, scale);
    Value read = Cast.of(g, out, DType.F32);
    g.result(read);
    Value given = g.input("dy", DType.F32, rows, columns);
    g.add(new OpCase.Sink(List.of(out), List.of(given), List.of(g.like(out, "dy.cast"))));
    Autodiff.backward(g);
    try (Device device = TestDevices.open(deviceName);
        GraphRunner runner = new GraphRunner(g, device)) {
      List<float[]> gradients = new ArrayList<>();
      for (int run = 0; run < 2; run++) {
        runner.set("w", w).set("w.grad", before);
        runner.run(Map.of("ids", ids, "dy", dy));
        gradients.add(runner.get("w.grad"));
      }
      assertThat(gradients.get(1)).isEqualTo(gradients.get(0));
      assertThat(Errors.relative(gradients.get(0), dw)).isLessThan(1e-6);
      assertThat(Errors.relative(runner.result(read), y)).isLessThan(tolerance(dtype));
    }
  }

  /** Also rows without a label, chunks that are not full, and chunks without a row. */
  @ParameterizedTest
  @MethodSource("all")
  void head(String deviceName, DType dtype, boolean even, Random r) {
    int columns = even ? 8 * (1 + r.nextInt(5)) : 1 + r.nextInt(40);
    int vocab = even ? 8 * (3 + r.nextInt(20)) : 20 + r.nextInt(150);
    int rows = 1200 + r.nextInt(100);
    float softcap = r.nextBoolean() ? 2.5f : 0;
    int[] labels = new int[rows];
    int labelled = 0;
    for (int m = 0; m < rows; m++) {
      labels[m] = r.nextInt(3) > 0 ? -1 : r.nextInt(vocab);
      labelled += labels[m] >= 0 ? 1 : 0;
    }
    float[] h = Rounded.to(OpCases.normal(r, rows * columns, 1), dtype);
    float[] w = Rounded.to(OpCases.normal(r, vocab * columns, 0.5), dtype);
    float lossScale = dtype == DType.F16 ? 1024 : 1; // or its gradients would be lost
    float[] before = OpCases.normal(r, vocab * columns, 1e-3 * lossScale);
    double[] dw = new double[vocab * columns];
    double[] dh = new double[rows * columns];
    for (int i = 0; i < dw.length; i++) {
      dw[i] = before[i];
    }
    for (int m = 0; m < rows; m++) {
      double[] z = new double[vocab];
      double sum = 0;
      for (int v = 0; v < vocab; v++) {
        for (int c = 0; c < columns; c++) {
          z[v] += (double) h[m * columns + c] * w[v * columns + c];
        }
        z[v] = softcap > 0 ? softcap * Math.tanh(z[v] / softcap) : z[v];
        sum += Math.exp(z[v]);
      }
      for (int v = 0; v < vocab && labels[m] >= 0; v++) {
        double t = softcap > 0 ? z[v] / softcap : 0;
        double dz =
            (Math.exp(z[v]) / sum - (v == labels[m] ? 1 : 0)) * (1 - t * t) / labelled * lossScale;
        for (int c = 0; c < columns; c++) {
          dw[v * columns + c] += dz * h[m * columns + c];
          dh[m * columns + c] += dz * w[v * columns + c];
        }
      }
    }

    StepState step = new StepState(1, 3, 0, 1e-2, 0.9, 0.999, labelled, lossScale);
    Graph g = new Graph();
    Value x = OpCase.leaf(g, "h", dtype, rows, columns);
    Value trained = g.named(Kind.PARAM, "w", DType.F32, Shape.of(vocab, columns));
    Value weight = Cast.of(g, trained, dtype);
    Value given = g.input("labels", DType.I32, rows);
    LinearCrossEntropy.of(g, x, weight, Optional.of(trained), given, softcap, true);
    Autodiff.backward(g);
    Value gradient =
        g.nodes().stream()
            .filter(node -> node.op() instanceof OpCase.Leaf l && l.gradientOf().isPresent())
            .map(node -> node.op().outputs().get(0))
            .findFirst()
            .orElseThrow();
    g.result(gradient);
    try (Device device = TestDevices.open(deviceName);
        GraphRunner runner = new GraphRunner(g, device)) {
      List<float[]> gradients = new ArrayList<>();
      for (int run = 0; run < 2; run++) {
        runner.set("h", h).set("w", w).set("w.grad", before);
        runner.setBytes("step", step::write);
        runner.run(new HashMap<>(Map.of("labels", labels)));
        gradients.add(runner.get("w.grad"));
      }
      assertThat(gradients.get(1)).isEqualTo(gradients.get(0));
      assertThat(Errors.relative(gradients.get(0), dw)).isLessThan(tolerance(dtype));
      assertThat(Errors.relative(runner.result(gradient), dh)).isLessThan(2 * tolerance(dtype));
    }
  }

  private static double tolerance(DType dtype) {
    return switch (dtype) {
      case BF16 -> 4e-3;
      case F16 -> 1e-3;
      default -> 1e-5;
    };
  }
}

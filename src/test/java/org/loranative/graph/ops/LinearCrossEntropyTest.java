package org.loranative.graph.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
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
 * Head and loss against f64, in 16 bits above all, where cards begin the softmax in the product:
 * vocabularies over the edges of tiles and groups, more labelled rows than a chunk, frozen and
 * trained heads, heads in blocks, logits of a size that 16 bits could not hold. Twice the same
 * bits.
 */
@ExtendWith(Seeded.class)
class LinearCrossEntropyTest {
  static Stream<Arguments> all() {
    return TestDevices.OPS.stream()
        .flatMap(
            device ->
                Stream.of(DType.F32, DType.BF16, DType.F16)
                    .filter(t -> t != DType.F16 || !device.equals("cpu"))
                    .map(t -> Arguments.of(device, t)));
  }

  static Stream<Arguments> in16Bits() {
    return all().filter(a -> a.get()[1] != DType.F32);
  }

  /** What is computed, and of what. */
  private static final class Problem {
    final DType dtype;
    final int rows;
    final int columns;
    final int vocab;
    final float[] h;
    float[] w;
    final int[] labels;
    final float lossScale;
    float softcap;
    boolean trained;
    boolean evaluated;
    boolean cancelling;
    long chunk;
    Optional<BlockMatrix> blocks = Optional.empty();

    Problem(DType dtype, int rows, int columns, int vocab, Random r) {
      this.dtype = dtype;
      this.rows = rows;
      this.columns = columns;
      this.vocab = vocab;
      lossScale = dtype == DType.F16 ? 1024 : 1; // or its gradients would be lost
      h = Rounded.to(OpCases.normal(r, rows * columns, 1), dtype);
      w = Rounded.to(OpCases.normal(r, vocab * columns, 0.5), dtype);
      labels = r.ints(rows, 0, vocab).toArray();
      for (int i = 0; i < rows / 5; i++) {
        labels[r.nextInt(rows)] = -1;
      }
    }

    int labelled() {
      return (int) Arrays.stream(labels).filter(l -> l >= 0).count();
    }
  }

  private static final class Expected {
    double loss;
    int hits;
    final double[] losses;
    final double[] dh;
    final double[] dw;

    /**
     * @param kept what becomes of a logit that is kept
     */
    Expected(Problem p, float[] before, DoubleUnaryOperator kept) {
      losses = new double[p.rows];
      dh = new double[p.rows * p.columns];
      dw = new double[p.vocab * p.columns];
      for (int i = 0; i < dw.length; i++) {
        dw[i] = before[i];
      }
      for (int m = 0; m < p.rows; m++) {
        if (p.labels[m] >= 0) {
          add(p, m, kept);
        }
      }
    }

    private void add(Problem p, int m, DoubleUnaryOperator kept) {
      double[] z = new double[p.vocab];
      double most = Double.NEGATIVE_INFINITY;
      for (int v = 0; v < p.vocab; v++) {
        for (int c = 0; c < p.columns; c++) {
          z[v] += (double) p.h[m * p.columns + c] * p.w[v * p.columns + c];
        }
        z[v] = kept.applyAsDouble(p.softcap > 0 ? p.softcap * Math.tanh(z[v] / p.softcap) : z[v]);
        most = Math.max(most, z[v]);
      }
      double sum = 0;
      for (double x : z) {
        sum += Math.exp(x - most);
      }
      double atLabel = z[p.labels[m]];
      losses[m] = Math.log(sum) + most - atLabel;
      loss += losses[m] / p.labelled();
      hits += atLabel >= most ? 1 : 0;
      for (int v = 0; v < p.vocab; v++) {
        double t = p.softcap > 0 ? z[v] / p.softcap : 0;
        double share = Math.exp(z[v] - most) / sum - (v == p.labels[m] ? 1 : 0);
        double dz = share * (1 - t * t) / p.labelled() * p.lossScale;
        for (int c = 0; c < p.columns; c++) {
          dw[v * p.columns + c] += dz * p.h[m * p.columns + c];
          dh[m * p.columns + c] += dz * p.w[v * p.columns + c];
        }
      }
    }
  }

  /** A vocabulary that is no whole chunk of 8, rows in several chunks of which one has one row. */
  @ParameterizedTest
  @MethodSource("all")
  void raggedVocabulary(String device, DType dtype, Random r) {
    Problem p = new Problem(dtype, 150 + r.nextInt(100), 8 * (2 + r.nextInt(6)), 5 + 32 * 9, r);
    p.chunk = p.labelled() / 2;
    compare(device, p, r);
  }

  @ParameterizedTest
  @MethodSource("all")
  void wholeVocabulary(String device, DType dtype, Random r) {
    Problem p = new Problem(dtype, 100 + r.nextInt(200), 8 * (2 + r.nextInt(6)), 512 + 64, r);
    p.softcap = r.nextBoolean() ? 2.5f : 30;
    p.chunk = 128;
    compare(device, p, r);
  }

  /** Of few columns, and of a width that no tensor core takes. */
  @ParameterizedTest
  @MethodSource("all")
  void small(String device, DType dtype, Random r) {
    compare(device, new Problem(dtype, 1 + r.nextInt(40), 24, 1 + r.nextInt(30), r), r);
    compare(device, new Problem(dtype, 1 + r.nextInt(40), 11, 40 + r.nextInt(30), r), r);
  }

  @ParameterizedTest
  @MethodSource("all")
  void trained(String device, DType dtype, Random r) {
    Problem p = new Problem(dtype, 200 + r.nextInt(50), 24, 150 + r.nextInt(200), r);
    p.trained = true;
    p.chunk = 100;
    compare(device, p, r);
  }

  @ParameterizedTest
  @MethodSource("all")
  void evaluated(String device, DType dtype, Random r) {
    Problem p = new Problem(dtype, 100 + r.nextInt(50), 32, 150 + r.nextInt(400), r);
    p.evaluated = true;
    p.softcap = r.nextBoolean() ? 2.5f : 0;
    compare(device, p, r);
  }

  @ParameterizedTest
  @MethodSource("all")
  void withoutALabel(String device, DType dtype, Random r) {
    Problem p = new Problem(dtype, 40, 16, 100, r);
    Arrays.fill(p.labels, -1);
    compare(device, p, r);
  }

  /** All near the cap, where its slope is small. */
  @ParameterizedTest
  @MethodSource("all")
  void atTheCap(String device, DType dtype, Random r) {
    Problem p = new Problem(dtype, 60, 8, 300, r);
    p.softcap = 30;
    p.cancelling = true;
    for (int i = 0; i < p.w.length; i++) {
      p.w[i] = i % 8 == 0 ? 8 : p.w[i];
    }
    for (int i = 0; i < p.h.length; i += 8) {
      p.h[i] = 7;
    }
    compare(device, p, r);
  }

  /** Logits near 60 and -60, which in 16 bits would be off by an eighth. */
  @ParameterizedTest
  @MethodSource("in16Bits")
  void largeLogits(String device, DType dtype, Random r) {
    Problem p = new Problem(dtype, 100, 16, 333, r);
    p.cancelling = true;
    for (int m = 0; m < p.rows; m++) {
      p.h[m * p.columns] = m % 2 == 0 ? 8 : -8;
    }
    for (int v = 0; v < p.vocab; v++) {
      p.w[v * p.columns] = 7.5f;
    }
    DoubleUnaryOperator kept = x -> Rounded.to(new float[] {(float) x}, DType.BF16)[0];
    float[] none = new float[p.vocab * p.columns];
    Expected expected = new Expected(p, none, x -> x);
    Expected coarse = new Expected(p, none, kept);
    double seen = distance(narrow(coarse.dh), expected.dh, p);
    assertThat(seen).as("the error of logits in bf16").isGreaterThan(3 * tolerance(DType.BF16));
    compare(device, p, r);
  }

  /** Where rows are so many that blocks are dequantized for all of them, and where they are few. */
  @ParameterizedTest
  @MethodSource("in16Bits")
  void inBlocks(String device, DType dtype, Random r) {
    for (int rows : new int[] {1030, 70}) {
      for (DType format : List.of(DType.Q8_0, DType.NF4)) {
        Problem p = new Problem(dtype, rows, 64, 5 + 32 * 9, r);
        BlockMatrix w = BlockMatrix.random(format, p.vocab * p.columns, r);
        p.w = Rounded.to(w.numbers(), dtype); // as products read them
        for (int i = 0; i < p.h.length; i++) {
          p.h[i] /= 64;
        }
        p.blocks = Optional.of(w);
        compare(device, p, r);
      }
    }
  }

  private static void compare(String deviceName, Problem p, Random r) {
    float[] before = OpCases.normal(r, p.vocab * p.columns, 1e-3 * p.lossScale);
    Expected expected = new Expected(p, before, x -> x);
    Graph g = new Graph();
    Value h = OpCase.leaf(g, "h", p.dtype, p.rows, p.columns);
    Shape shape = Shape.of(p.vocab, p.columns);
    Optional<Value> parameter =
        p.trained ? Optional.of(g.named(Kind.PARAM, "w", DType.F32, shape)) : Optional.empty();
    Value w =
        parameter
            .map(v -> Cast.of(g, v, p.dtype))
            .orElseGet(
                () ->
                    g.named(
                        Kind.WEIGHT, "w", p.blocks.map(BlockMatrix::type).orElse(p.dtype), shape));
    Value labels = g.input("labels", DType.I32, p.rows);
    Optional<Value> dh = p.evaluated ? Optional.empty() : Optional.of(g.like(h, "dh"));
    Value loss = g.temp(Loss.TOTAL, DType.F32, Shape.of(1));
    Value losses = g.temp(Loss.EACH, DType.F32, labels.shape());
    Value accuracy = g.temp(LinearCrossEntropy.ACCURACY, DType.F32, Shape.of(1));
    g.add(
        new LinearCrossEntropy(
            h,
            w,
            labels,
            StepState.value(g),
            loss,
            losses,
            accuracy,
            dh,
            parameter.map(g::gradient),
            p.softcap,
            p.chunk));
    List.of(loss, losses, accuracy).forEach(g::result);
    Optional<Value> gradient = dh.map(v -> gradient(g));
    gradient.ifPresent(g::result);
    int labelled = Math.max(1, p.labelled());
    StepState step = new StepState(1, 3, 0, 1e-2, 0.9, 0.999, labelled, p.lossScale);
    try (Device device = TestDevices.open(deviceName);
        GraphRunner runner = new GraphRunner(g, device)) {
      float[][] first = new float[4][];
      for (int run = 0; run < 2; run++) {
        runner.set("h", p.h);
        p.blocks.ifPresentOrElse(
            b -> runner.setBytes("w", to -> to.put(bytes(b))), () -> runner.set("w", p.w));
        if (p.trained) {
          runner.set("w.grad", before);
        }
        runner.setBytes("step", step::write);
        runner.run(Map.of("labels", p.labels));
        float[][] seen = {
          runner.result(losses),
          runner.result(loss),
          gradient.map(runner::result).orElse(new float[0]),
          p.trained ? runner.get("w.grad") : new float[0]
        };
        assertThat(run == 0 ? seen : first).as("the same bits").isDeepEqualTo(seen);
        first = seen;
      }
      double most = tolerance(p.dtype);
      double scale = Math.max(1, expected.loss);
      assertThat((double) first[1][0]).isCloseTo(expected.loss, Offset.offset(1e-5 * scale));
      assertThat(Errors.relative(first[0], expected.losses)).isLessThan(1e-5);
      assertThat(Math.round(runner.result(accuracy)[0] * labelled)).isEqualTo(expected.hits);
      if (!p.evaluated) {
        assertThat(distance(first[2], expected.dh, p)).isLessThan(2 * most);
      }
      if (p.trained) {
        assertThat(Errors.relative(first[3], expected.dw)).isLessThan(most);
      }
    }
  }

  private static ByteBuffer bytes(BlockMatrix b) {
    return b.bytes().duplicate();
  }

  private static Value gradient(Graph g) {
    Autodiff.backward(g);
    return g.nodes().stream()
        .filter(node -> node.op() instanceof OpCase.Leaf l && l.gradientOf().isPresent())
        .map(node -> node.op().outputs().get(0))
        .findFirst()
        .orElseThrow();
  }

  /** Without the first column where large logits come from it: its terms cancel each other. */
  private static double distance(float[] dh, double[] expected, Problem p) {
    float[] actual = dh.clone();
    double[] wanted = expected.clone();
    for (int i = 0; p.cancelling && i < actual.length; i += p.columns) {
      actual[i] = 0;
      wanted[i] = 0;
    }
    return Errors.relative(actual, wanted);
  }

  private static float[] narrow(double[] x) {
    float[] y = new float[x.length];
    for (int i = 0; i < y.length; i++) {
      y[i] = (float) x[i];
    }
    return y;
  }

  private static double tolerance(DType dtype) {
    return switch (dtype) {
      case BF16 -> 4e-3;
      case F16 -> 1e-3;
      default -> 1e-5;
    };
  }
}

package org.loranative.graph.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.device.Device;
import org.loranative.device.DeviceException;
import org.loranative.graph.Autodiff;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.StepState;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.testing.Errors;
import org.loranative.testing.Golden;
import org.loranative.testing.GraphRunner;
import org.loranative.testing.Seeded;
import org.loranative.testing.TestDevices;

/** Ops that do not fit {@link OpCase}: they end a pass, change state, or have no gradient. */
@ExtendWith(Seeded.class)
abstract class LossAndOptimizerChecks {
  private static Device device;

  static void open(String name) {
    device = TestDevices.open(name);
  }

  @AfterAll
  static void close() {
    device.close();
  }

  /**
   * @param atTheCap whether all logits are near it, where its slope is small
   */
  @ParameterizedTest
  @CsvSource({"0, false", "2.5, false", "2.5, true"})
  void linearCrossEntropy(float softcap, boolean atTheCap) {
    Random r = new Random(softcap == 0 ? 5 : 6);
    int m = 300 + r.nextInt(50); // more labelled rows than a chunk
    int n = atTheCap ? 1 : 12;
    int vocab = 33;
    float[] h = OpCases.normal(r, m * n, 1);
    float[] w = OpCases.normal(r, vocab * n, 0.5);
    if (atTheCap) {
      java.util.Arrays.fill(h, softcap);
      w = OpCases.far(r, vocab, 0.5);
    }
    int[] labels = r.ints(m, 0, vocab).toArray();
    int labelled = m;
    for (int i = 0; i < 20; i++) {
      int at = r.nextInt(m);
      labelled -= labels[at] >= 0 ? 1 : 0;
      labels[at] = -1;
    }
    double[] expected = new double[m * n];
    double loss = 0;
    double[] losses = new double[m];
    int hits = 0;
    for (int i = 0; i < m; i++) {
      if (labels[i] < 0) {
        continue;
      }
      double[] z = new double[vocab];
      double sum = 0;
      for (int v = 0; v < vocab; v++) {
        for (int k = 0; k < n; k++) {
          z[v] += h[i * n + k] * w[v * n + k];
        }
        z[v] = softcap > 0 ? softcap * Math.tanh(z[v] / softcap) : z[v];
        sum += Math.exp(z[v]);
      }
      losses[i] = Math.log(sum) - z[labels[i]];
      loss += losses[i] / labelled;
      double atLabel = z[labels[i]];
      hits += java.util.Arrays.stream(z).allMatch(x -> x <= atLabel) ? 1 : 0;
      for (int v = 0; v < vocab; v++) {
        double t = softcap > 0 ? z[v] / softcap : 0;
        double dz = (Math.exp(z[v]) / sum - (v == labels[i] ? 1 : 0)) * (1 - t * t) / labelled;
        for (int k = 0; k < n; k++) {
          expected[i * n + k] += dz * w[v * n + k];
        }
      }
    }
    int count = labelled;
    Graph g = new Graph();
    Value x = OpCase.leaf(g, "h", DType.F32, m, n);
    Value weight = g.named(Kind.WEIGHT, "w", DType.F32, Shape.of(vocab, n));
    LinearCrossEntropy.of(g, x, weight, g.input("labels", DType.I32, m), softcap, true);
    Autodiff.backward(g);
    Value gradient =
        g.nodes().stream()
            .filter(node -> node.op() instanceof OpCase.Leaf l && l.gradientOf().isPresent())
            .map(node -> node.op().outputs().get(0))
            .findFirst()
            .orElseThrow();
    g.result(gradient);
    try (GraphRunner runner = new GraphRunner(g, device)) {
      runner.set("h", h).set("w", w);
      runner.setBytes("step", b -> OpCases.step(count).write(b));
      runner.run(Map.of("labels", labels));
      assertThat((double) runner.result("loss")[0])
          .isCloseTo(loss, org.assertj.core.data.Offset.offset(1e-5));
      assertThat(Errors.relative(runner.result(Loss.EACH), losses)).isLessThan(1e-5);
      assertThat(Math.round(runner.result(LinearCrossEntropy.ACCURACY)[0] * count)).isEqualTo(hits);
      assertThat(Errors.relative(runner.result(gradient.name()), expected)).isLessThan(1e-5);
      if (!device.name().equals("cpu")) {
        return; // cards get their labels checked on the host
      }
      labels[7] = vocab;
      org.assertj.core.api.Assertions.assertThatThrownBy(() -> runner.run(Map.of("labels", labels)))
          .isInstanceOf(DeviceException.class)
          .hasMessageContaining("linear_cross_entropy")
          .hasMessageContaining("label 33");
    }
  }

  /**
   * Squared and pseudo-Huber distance with a weight for each image, and perhaps for each pixel, and
   * their gradients.
   *
   * @param channels of a pixel, in eights or not
   */
  @ParameterizedTest
  @CsvSource({"0, 4, false", "0.3, 4, false", "0, 4, true", "0.3, 16, true", "0, 3, true"})
  void mse(float huber, int channels, boolean masked) {
    Random r = new Random(7);
    int images = 3;
    int n = channels * (6000 / channels + r.nextInt(5000)); // more than a block of the sum
    float[] mask = new float[images * n / channels];
    for (int i = 0; i < mask.length; i++) {
      mask[i] = masked ? Math.max(0, r.nextFloat() * 1.5f - 0.5f) : 1;
    }
    float[] y = OpCases.normal(r, images * n, 1);
    float[] target = OpCases.normal(r, images * n, 1);
    float[] weights = {1, 0.25f, 2};
    double loss = 0;
    double[] losses = new double[images];
    double[] expected = new double[images * n];
    for (int i = 0; i < images * n; i++) {
      double d = y[i] - target[i];
      double root = Math.sqrt(d * d + huber * huber);
      double weight = mask[i / channels] * weights[i / n] / n / 4.0;
      double distance = huber > 0 ? 2 * huber * (root - huber) : d * d;
      loss += weight * distance;
      losses[i / n] += mask[i / channels] * distance / n;
      expected[i] = weight * (huber > 0 ? 2 * huber * d / root : 2 * d);
    }
    Graph g = new Graph();
    Value x = OpCase.leaf(g, "y", DType.F32, images * n / channels, channels);
    Mse.of(
        g,
        x,
        g.input("target", DType.F32, images * n / channels, channels),
        g.input("weights", DType.F32, images),
        masked ? Optional.of(g.input("mask", DType.F32, mask.length)) : Optional.empty(),
        huber,
        true);
    Autodiff.backward(g);
    Value gradient = gradient(g);
    g.result(gradient);
    try (GraphRunner runner = new GraphRunner(g, device)) {
      runner.set("y", y);
      runner.setBytes("step", b -> OpCases.step(4).write(b));
      Map<String, Object> inputs = new HashMap<>(Map.of("target", target, "weights", weights));
      if (masked) {
        inputs.put("mask", mask);
      }
      runner.run(inputs);
      assertThat((double) runner.result("loss")[0])
          .isCloseTo(loss, org.assertj.core.data.Percentage.withPercentage(1e-3));
      assertThat(Errors.relative(runner.result(Loss.EACH), losses)).isLessThan(1e-5);
      assertThat(Errors.relative(runner.result(gradient), expected)).isLessThan(1e-6);
    }
  }

  /** Of two images, what lies outside the masks counting a tenth. */
  @Test
  void maskedLossIsTorchs() {
    Golden golden = new Golden(Golden.FOLDER.resolve("mask.safetensors"));
    float[] mask = golden.floats("shares");
    for (int i = 0; i < mask.length; i++) {
      mask[i] = Math.max(0.1f, mask[i]);
    }
    Graph g = new Graph();
    Value x = OpCase.leaf(g, "y", DType.F32, mask.length, 4);
    Mse.of(
        g,
        x,
        g.input("target", DType.F32, mask.length, 4),
        g.input("weights", DType.F32, 2),
        Optional.of(g.input("mask", DType.F32, mask.length)),
        0,
        true);
    Autodiff.backward(g);
    Value gradient = gradient(g);
    g.result(gradient);
    try (GraphRunner runner = new GraphRunner(g, device)) {
      runner.set("y", golden.floats("prediction"));
      runner.setBytes("step", b -> OpCases.step(2).write(b));
      runner.run(
          Map.of(
              "target", golden.floats("target"),
              "weights", golden.floats("weights"),
              "mask", mask));
      for (String name : List.of(Loss.TOTAL, Loss.EACH)) {
        float[] expected = golden.floats(name);
        assertThat(Errors.relative(runner.result(name), expected)).as(name).isLessThan(1e-5);
      }
      assertThat(Errors.relative(runner.result(gradient), golden.floats("gradient")))
          .isLessThan(1e-5);
    }
  }

  /** Of the graph's leaf. */
  private static Value gradient(Graph g) {
    return g.nodes().stream()
        .filter(node -> node.op() instanceof OpCase.Leaf l && l.gradientOf().isPresent())
        .map(node -> node.op().outputs().get(0))
        .findFirst()
        .orElseThrow();
  }

  /** diffusers' get_timestep_embedding. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void timestepEmbedding(boolean cosineFirst) {
    int dim = 21;
    float[] t = {0, 1, 17.5f, 999};
    float shift = cosineFirst ? 0 : 1;
    Graph g = new Graph();
    Value y =
        TimestepEmbedding.of(
            g, g.input("t", DType.F32, t.length), dim, cosineFirst, shift, DType.F32);
    g.result(y);
    double[] expected = new double[t.length * dim];
    for (int b = 0; b < t.length; b++) {
      for (int j = 0; j < dim / 2; j++) {
        double angle = t[b] * Math.exp(-Math.log(10000) * j / (dim / 2 - shift));
        expected[b * dim + j] = cosineFirst ? Math.cos(angle) : Math.sin(angle);
        expected[b * dim + dim / 2 + j] = cosineFirst ? Math.sin(angle) : Math.cos(angle);
      }
    }
    try (GraphRunner runner = new GraphRunner(g, device)) {
      runner.run(Map.of("t", t));
      assertThat(Errors.relative(runner.result(y), expected)).isLessThan(1e-4);
    }
  }

  @Test
  void adamwAndGlobalNorm(Random r) {
    int n = 1000 + r.nextInt(1000);
    float[] p = OpCases.normal(r, n, 1);
    double[] w = new double[n];
    double[] m = new double[n];
    double[] v = new double[n];
    for (int i = 0; i < n; i++) {
      w[i] = p[i];
    }
    Graph g = new Graph();
    Shape shape = Shape.of(n);
    Value grads = g.named(Kind.STATE, "grads", DType.F32, shape);
    Value params = g.named(Kind.STATE, "p", DType.F32, shape);
    Value first = g.named(Kind.STATE, "m", DType.F32, shape);
    Value second = g.named(Kind.STATE, "v", DType.F32, shape);
    Value clipping = GlobalNorm.of(g, grads, 0.5f);
    int cut = n / 3; // the rest learns a quarter as fast
    for (ParameterRange range :
        List.of(new ParameterRange(0, cut, 1), new ParameterRange(cut, n - cut, 0.25f))) {
      AdamW.Setting setting = new AdamW.Setting(0.9f, 0.999f, 1e-8f, 0.1f);
      AdamW.of(g, params, grads, first, second, clipping, range, setting);
    }
    try (GraphRunner runner = new GraphRunner(g, device)) {
      runner.set("p", p);
      for (int t = 1; t <= 5; t++) {
        float[] gradient = OpCases.normal(r, n, 1);
        double norm = 0;
        for (float x : gradient) {
          norm += (double) x * x;
        }
        norm = Math.sqrt(norm);
        double clip = Math.min(1, 0.5 / (norm + 1e-6));
        double rate = 0.01 * t; // moves from step to step: nothing of it may be frozen in the plan
        for (int i = 0; i < n; i++) {
          double x = gradient[i] * clip;
          m[i] += 0.1 * (x - m[i]);
          v[i] += 0.001 * (x * x - v[i]);
          double mean = m[i] / (1 - Math.pow(0.9, t));
          double square = v[i] / (1 - Math.pow(0.999, t));
          w[i] -= rate * (i < cut ? 1 : 0.25) * (mean / (Math.sqrt(square) + 1e-8) + 0.1 * w[i]);
        }
        runner.set("grads", gradient);
        StepState now = new StepState(1, t, 0, rate, 0.9, 0.999, 1);
        runner.setBytes("step", now::write);
        runner.run(Map.of());
        assertThat((double) runner.result("grad_norm")[0])
            .isCloseTo(norm, org.assertj.core.data.Percentage.withPercentage(1e-4));
        assertThat(runner.get("grads")).containsOnly(0f);
      }
      assertThat(Errors.relative(runner.get("p"), w)).isLessThan(1e-6);
    }
  }

  /** Of moving numbers; a step whose gradients overflow leaves the average as it is. */
  @Test
  void exponentialAverage(Random r) {
    int n = 1000 + r.nextInt(1500);
    Graph g = new Graph();
    Value params = g.named(Kind.STATE, "p", DType.F32, Shape.of(n));
    Value average = g.named(Kind.STATE, "average", DType.F32, Shape.of(n));
    Value clip = g.named(Kind.STATE, "clip", DType.F32, Shape.of(2));
    Ema.of(g, params, average, clip, 0.25f);
    float[] first = OpCases.normal(r, n, 1);
    double[] expected = new double[n];
    for (int i = 0; i < n; i++) {
      expected[i] = first[i];
    }
    try (GraphRunner runner = new GraphRunner(g, device)) {
      runner.set("average", first);
      for (int step : new int[] {1, 2, 7, 26, 27, 28, 500}) {
        float[] p = OpCases.normal(r, n, 1);
        float norm = step == 7 ? Float.NaN : step == 27 ? Float.POSITIVE_INFINITY : 3;
        double decay = step == 1 ? 0 : Math.min(0.75, step / (9.0 + step));
        for (int i = 0; i < n && norm == 3; i++) {
          expected[i] = decay * expected[i] + (1 - decay) * p[i];
        }
        runner.set("p", p).set("clip", new float[] {norm, 0.5f});
        StepState now = new StepState(1, step, 0, 0.1, 0.9, 0.999, 1);
        runner.setBytes("step", now::write);
        runner.run(Map.of());
        assertThat(Errors.relative(runner.get("average"), expected)).isLessThan(1e-6);
        assertThat(runner.get("p")).containsExactly(p);
      }
    }
  }

  @Test
  void embeddingRefusesIdsOutsideTheVocabulary() {
    Graph g = new Graph();
    Value y =
        Embedding.of(
            g,
            g.input("ids", DType.I32, 3),
            g.named(Kind.WEIGHT, "w", DType.F32, Shape.of(4, 2)),
            2);
    g.result(y);
    try (GraphRunner runner = new GraphRunner(g, device)) {
      runner.set("w", new float[] {0, 1, 2, 3, 4, 5, 6, 7});
      runner.run(Map.of("ids", new int[] {3, 0, 2}));
      assertThat(runner.result(y.name())).containsExactly(12, 14, 0, 2, 8, 10);
      if (!device.name().equals("cpu")) {
        return; // cards get their ids checked on the host
      }
      org.assertj.core.api.Assertions.assertThatThrownBy(
              () -> runner.run(Map.of("ids", new int[] {3, 4, 2})))
          .isInstanceOf(DeviceException.class)
          .hasMessage(
              "plan line 0 (embedding of w): token id 4 at row 1 is outside the vocabulary of 4");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void cachedAttentionEqualsAttention(boolean sinks, Random r) {
    int m = 5 + r.nextInt(40);
    int dim = 8;
    Attention.Setting setting = Attention.Setting.causal(4, 2, dim, 0.3f, sinks ? 0 : 3, 7, m);
    float[] own = OpCases.normal(r, 4, 1);
    Map<String, Object> inputs =
        Map.of(
            "q", OpCases.normal(r, m * 4 * dim, 1),
            "k", OpCases.normal(r, m * 2 * dim, 1),
            "v", OpCases.normal(r, m * 2 * dim, 1));
    Graph whole = new Graph();
    Value q = whole.input("q", DType.F32, m, 4 * dim);
    Value k = whole.input("k", DType.F32, m, 2 * dim);
    Value v = whole.input("v", DType.F32, m, 2 * dim);
    Value from = whole.input("start", DType.I32, m);
    whole.result(
        sinks
            ? SinkAttention.of(whole, "o", q, k, v, sinks(whole), from, setting)
            : Attention.of(whole, "o", q, k, v, from, setting));
    float[] expected;
    try (GraphRunner runner = new GraphRunner(whole, device)) {
      setSinks(runner, whole, own);
      Map<String, Object> all = new java.util.HashMap<>(inputs);
      all.put("start", new int[m]);
      runner.run(all);
      expected = runner.result("o");
    }
    Graph step = new Graph();
    step.result(cached(step, dim, m, sinks, setting));
    try (GraphRunner runner = new GraphRunner(step, device)) {
      setSinks(runner, step, own);
      for (int t = 0; t < m; t++) {
        Map<String, Object> row = new java.util.HashMap<>();
        int at = t;
        inputs.forEach(
            (n, x) -> {
              int width = ((float[]) x).length / m;
              row.put(n, java.util.Arrays.copyOfRange((float[]) x, at * width, (at + 1) * width));
            });
        row.put("start", new int[] {t});
        runner.run(row);
        float[] wanted = java.util.Arrays.copyOfRange(expected, t * 32, (t + 1) * 32);
        assertThat(Errors.relative(runner.result("o"), wanted)).isLessThan(1e-5);
      }
      if (!device.name().equals("cpu")) {
        return; // the position lies on the card
      }
      Map<String, Object> beyond = new java.util.HashMap<>();
      inputs.forEach((n, x) -> beyond.put(n, new float[((float[]) x).length / m]));
      beyond.put("start", new int[] {m});
      org.assertj.core.api.Assertions.assertThatThrownBy(() -> runner.run(beyond))
          .hasMessageContaining("beyond the cache");
    }
  }

  private static Value cached(
      Graph g, int dim, int capacity, boolean sinks, Attention.Setting setting) {
    Value q = g.input("q", DType.F32, 1, 4L * dim);
    Value k = g.input("k", DType.F32, 1, 2L * dim);
    Value v = g.input("v", DType.F32, 1, 2L * dim);
    Value keys = g.named(Kind.STATE, "kc", DType.F32, Shape.of(capacity, 2L * dim));
    Value values = g.named(Kind.STATE, "vc", DType.F32, Shape.of(capacity, 2L * dim));
    Value start = g.input("start", DType.I32, 1);
    return sinks
        ? CachedSinkAttention.of(g, "o", q, k, v, keys, values, sinks(g), start, setting)
        : CachedAttention.of(g, "o", q, k, v, keys, values, start, setting);
  }

  private static Value sinks(Graph g) {
    return OpCases.frozen(g, "sinks", DType.F32, 4);
  }

  private static void setSinks(GraphRunner runner, Graph g, float[] sinks) {
    if (g.named().containsKey("sinks")) {
      runner.set("sinks", sinks);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K", "MXFP4"})
  void dequantizesAsGgufDoes(String kind) {
    Golden golden = new Golden(Golden.FOLDER.resolve("blocks.safetensors"));
    float[] expected = golden.floats(kind + ".values");
    java.nio.ByteBuffer blocks = golden.bytes(kind + ".blocks");
    try (org.loranative.device.HostBuffer from =
            new org.loranative.device.HostBuffer(blocks.remaining());
        org.loranative.device.Memory decoded = device.allocate(expected.length * 4L);
        org.loranative.device.HostBuffer to =
            new org.loranative.device.HostBuffer(expected.length * 4L)) {
      from.view().put(blocks);
      DType type = DType.named(kind).orElseThrow();
      assertThat(type.bytes(expected.length)).isEqualTo(from.view().capacity());
      device.check(
          org.loranative.device.LoraOps.ln_dequantize_fwd(
              device.handle(),
              from.address(),
              type.code,
              decoded.address(),
              0,
              0,
              1,
              expected.length,
              expected.length));
      device.download(to, decoded.address(), expected.length * 4L);
      float[] actual = new float[expected.length];
      to.view().asFloatBuffer().get(actual);
      assertThat(Errors.relative(actual, expected)).isLessThan(1e-6);
    }
  }
}

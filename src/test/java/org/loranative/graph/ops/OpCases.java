package org.loranative.graph.ops;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.LongStream;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.StepState;
import org.loranative.graph.Value;
import org.loranative.graph.ops.OpCase.Instance;
import org.loranative.io.DType;
import org.loranative.random.Philox;

/** The cases: one for each way an op is used. */
final class OpCases {
  static final long SEED = 99;
  static final int STEP = 3;
  static final int MICRO = 1;

  private OpCases() {}

  static List<OpCase> all() {
    return List.of(
        new OpCase("add", OpCases::add),
        new OpCase("affine", DiffusionCases::affine),
        new OpCase("linear", OpCases::linear),
        new OpCase("linear shared input", OpCases::linearShared),
        new OpCase("lora_linear", r -> lora(r, 0, false)),
        new OpCase("lora_linear bias", r -> lora(r, 0, true)),
        new OpCase("lora_linear dropout", r -> lora(r, 0.3f, false)),
        new OpCase("lora_linear whole chunks", OpCases::loraWholeChunks),
        new OpCase("lora_up", r -> AdapterCases.loraUp(r, 1)),
        new OpCase("lora_up whole chunks", r -> AdapterCases.loraUp(r, 8)),
        new OpCase("dora_norm", AdapterCases::doraNorm),
        new OpCase("dora_scale", r -> AdapterCases.doraScale(r, false)),
        new OpCase("dora_scale bias", r -> AdapterCases.doraScale(r, true)),
        new OpCase("loha", r -> AdapterCases.loha(r, false)),
        new OpCase("loha of a convolution", r -> AdapterCases.loha(r, true)),
        new OpCase("lokr", r -> AdapterCases.lokr(r, false, false)),
        new OpCase("lokr full", r -> AdapterCases.lokr(r, true, false)),
        new OpCase("lokr of a convolution", r -> AdapterCases.lokr(r, false, true)),
        new OpCase("lokr full of a convolution", r -> AdapterCases.lokr(r, true, true)),
        new OpCase("rms_norm", r -> norm(r, false)),
        new OpCase("rms_norm residual", r -> norm(r, true)),
        new OpCase("rope", r -> RopeCases.rope(r, Rope.Pairing.HALVES)),
        new OpCase("rope of neighbours", r -> RopeCases.rope(r, Rope.Pairing.NEIGHBOURS)),
        new OpCase("rope on a grid", r -> RopeCases.grid(r, false)),
        new OpCase("grid_rope_table moved", r -> RopeCases.grid(r, true)),
        new OpCase("attention", r -> attention(r, 0, 0, Optional.empty())),
        new OpCase("attention window", r -> attention(r, 5, 0, Optional.empty())),
        new OpCase("attention softcap", r -> attention(r, 0, 1.5f, Optional.empty())),
        new OpCase("sink_attention", r -> attention(r, 0, 0, Optional.of(1))),
        new OpCase("sink_attention window", r -> attention(r, 5, 0, Optional.of(1))),
        new OpCase("sink_attention of whole chunks", r -> attention(r, 7, 0, Optional.of(4))),
        new OpCase(
            "attention padded",
            r -> FullAttentionCases.attention(r, 3, 7, 3, 8 * between(r, 1, 2), 5)),
        new OpCase(
            "attention full",
            r -> FullAttentionCases.attention(r, 3, 7, 3, 8 * between(r, 1, 2), 0)),
        new OpCase(
            "attention of a wide head",
            r -> FullAttentionCases.attention(r, 1, 2, 1, 8 * between(r, 33, 64), 0)),
        new OpCase("glu silu", r -> GluCases.glu(r, Act.SILU)),
        new OpCase("glu gelu", r -> GluCases.glu(r, Act.GELU_TANH)),
        new OpCase("glu gelu exact", r -> GluCases.glu(r, Act.GELU)),
        new OpCase("glu gelu in its tail", r -> GluCases.tail(r, Act.GELU_TANH)),
        new OpCase("glu gelu exact in its tail", r -> GluCases.tail(r, Act.GELU)),
        new OpCase("glu silu in its tail", r -> GluCases.tail(r, Act.SILU)),
        new OpCase("glu quick gelu in its tail", r -> GluCases.tail(r, Act.QUICK_GELU)),
        new OpCase("glu sigmoid", r -> GluCases.glu(r, Act.SIGMOID)),
        new OpCase("glu sigmoid near its ends", r -> GluCases.ends(r, Act.SIGMOID)),
        new OpCase("glu silu near its ends", r -> GluCases.ends(r, Act.SILU)),
        new OpCase("glu gelu near its ends", r -> GluCases.ends(r, Act.GELU_TANH)),
        new OpCase("glu gelu exact near its ends", r -> GluCases.ends(r, Act.GELU)),
        new OpCase("glu quick gelu near its ends", r -> GluCases.ends(r, Act.QUICK_GELU)),
        new OpCase("glu quick gelu", r -> GluCases.glu(r, Act.QUICK_GELU)),
        new OpCase("packed glu, gate first", r -> GluCases.packed(r, true, Act.SILU)),
        new OpCase("packed glu, gate behind", r -> GluCases.packed(r, false, Act.GELU)),
        new OpCase("clamped_glu", r -> GluCases.clamped(r, false)),
        new OpCase("packed_clamped_glu", r -> GluCases.clamped(r, true)),
        new OpCase("split", r -> split(r, 1)),
        new OpCase("split in groups", r -> split(r, between(r, 2, 4))),
        new OpCase("activation silu", r -> DiffusionCases.activation(r, Act.SILU)),
        new OpCase("activation gelu", r -> DiffusionCases.activation(r, Act.GELU)),
        new OpCase("activation tanh", r -> DiffusionCases.activation(r, Act.TANH)),
        new OpCase("activation tanh near 0", DiffusionCases::smallTanh),
        new OpCase("activation tanh near its ends", DiffusionCases::largeTanh),
        new OpCase("activation quick gelu", r -> DiffusionCases.activation(r, Act.QUICK_GELU)),
        new OpCase("layer_norm", DiffusionCases::layerNorm),
        new OpCase("group_norm", r -> DiffusionCases.groupNorm(r, false)),
        new OpCase("group_norm silu", r -> DiffusionCases.groupNorm(r, true)),
        new OpCase("conv2d", r -> DiffusionCases.conv2d(r, 1, false)),
        new OpCase("conv2d stride 2", r -> DiffusionCases.conv2d(r, 2, false)),
        new OpCase("conv2d padded after", r -> DiffusionCases.conv2d(r, 2, true)),
        new OpCase("lora_conv2d", r -> DiffusionCases.loraConv2d(r, 1, 0)),
        new OpCase("lora_conv2d stride 2", r -> DiffusionCases.loraConv2d(r, 2, 0)),
        new OpCase("lora_conv2d dropout", r -> DiffusionCases.loraConv2d(r, 1, 0.3f)),
        new OpCase("embedding of an activation", DiffusionCases::pickedRows),
        new OpCase("upsample", DiffusionCases::upsample),
        new OpCase("add_rows", DiffusionCases::addRows),
        new OpCase("modulated_norm", TransformerCases::modulatedNorm),
        new OpCase("gated_add", TransformerCases::gatedAdd),
        new OpCase("crop", TransformerCases::crop),
        new OpCase("pad", TransformerCases::pad),
        new OpCase("crop of one matrix for all", TransformerCases::repeated),
        new OpCase("join_rows", TransformerCases::joinRows),
        new OpCase("patchify", r -> TransformerCases.patchify(r, false, false)),
        new OpCase("patchify by channel", r -> TransformerCases.patchify(r, false, true)),
        new OpCase("pixels of patches", r -> TransformerCases.patchify(r, true, false)),
        new OpCase("pixels of patches by channel", r -> TransformerCases.patchify(r, true, true)),
        new OpCase("route", r -> ExpertCases.route(r, false)),
        new OpCase("route normalized", r -> ExpertCases.route(r, true)),
        new OpCase("experts by sigmoids", r -> ExpertCases.sigmoidRoute(r, false)),
        new OpCase("experts by sigmoids, normalized", r -> ExpertCases.sigmoidRoute(r, true)),
        new OpCase("experts by sigmoids near 1", r -> ExpertCases.likedByAll(r, false)),
        new OpCase("experts by sigmoids near 1, normalized", r -> ExpertCases.likedByAll(r, true)),
        new OpCase("expert_bias", ExpertCases::bias),
        new OpCase("experts", r -> ExpertCases.mixture(r, ExpertCases.Spread.EVEN, 1)),
        new OpCase("experts whole chunks", r -> ExpertCases.mixture(r, ExpertCases.Spread.EVEN, 8)),
        new OpCase("experts all alike", r -> ExpertCases.mixture(r, ExpertCases.Spread.ONE, 8)),
        new OpCase(
            "experts with adapters", r -> ExpertCases.adapted(r, ExpertCases.Spread.EVEN, 1)),
        new OpCase(
            "experts with adapters, whole chunks",
            r -> ExpertCases.adapted(r, ExpertCases.Spread.EVEN, 8)),
        new OpCase(
            "experts with adapters, all alike",
            r -> ExpertCases.adapted(r, ExpertCases.Spread.ONE, 8)),
        new OpCase("short_conv", DeltaCases::shortConv),
        new OpCase("delta_gates", DeltaCases::gates),
        new OpCase("delta_gates near their ends", DeltaCases::openOrShut),
        new OpCase("delta_rule", r -> DeltaCases.rule(r, 150, DeltaCases.heads(r, 1))),
        new OpCase(
            "delta_rule of wide heads",
            r -> DeltaCases.rule(r, 70, new DeltaRule.Heads(1, 1, 128, between(r, 100, 128)))),
        new OpCase("delta_rule of a long document", DeltaCases::longRule),
        new OpCase("delta_rule that forgets", DeltaCases::forgetfulRule),
        new OpCase("delta_rule of one token", DeltaCases::ruleOfOneToken),
        new OpCase("biased_attention", r -> FullAttentionCases.biased(r, false)),
        new OpCase("biased_attention padded", r -> FullAttentionCases.biased(r, true)));
  }

  static float[] normal(Random r, long n, double scale) {
    float[] x = new float[Math.toIntExact(n)];
    for (int i = 0; i < x.length; i++) {
      // Numbers that bf16 holds exactly, so that every dtype starts from the same.
      x[i] = org.loranative.testing.Bf16.round(r.nextGaussian() * scale);
    }
    return x;
  }

  /**
   * From 7.5 to 9, as many above 0 as below: a sigmoid is so near its ends there that one minus it
   * keeps half of f32's digits, yet not so near that f16 could not hold its slope.
   */
  static float[] far(Random r, long n, double scale) {
    float[] x = new float[Math.toIntExact(n)];
    for (int i = 0; i < x.length; i++) {
      double size = scale * (7.5 + 1.5 * r.nextDouble());
      x[i] = org.loranative.testing.Bf16.round(i % 2 == 0 ? size : -size);
    }
    return x;
  }

  static int between(Random r, int low, int high) {
    return low + r.nextInt(high - low + 1);
  }

  static Value frozen(Graph g, String name, DType dtype, long... dims) {
    return g.named(Kind.WEIGHT, name, dtype, Shape.of(dims));
  }

  private static Instance add(Random r) {
    Instance c = new Instance();
    int n = between(r, 1, 70);
    c.differentiable.put("a", normal(r, n, 1));
    c.differentiable.put("b", normal(r, n, 1));
    c.builder = (g, t) -> List.of(Add.of(g, OpCase.leaf(g, "a", t, n), OpCase.leaf(g, "b", t, n)));
    c.reference =
        x -> {
          double[] y = new double[n];
          for (int i = 0; i < n; i++) {
            y[i] = x.get("a")[i] + x.get("b")[i];
          }
          return List.of(y);
        };
    return c;
  }

  /** y [M, out] = x [M, in] wᵀ + bias. */
  static double[] matmul(double[] x, double[] w, Optional<double[]> bias, int m, int in, int out) {
    double[] y = new double[m * out];
    for (int i = 0; i < m; i++) {
      for (int o = 0; o < out; o++) {
        double sum = bias.isPresent() ? bias.get()[o] : 0;
        for (int k = 0; k < in; k++) {
          sum += x[i * in + k] * w[o * in + k];
        }
        y[i * out + o] = sum;
      }
    }
    return y;
  }

  private static Instance linear(Random r) {
    Instance c = new Instance();
    int m = between(r, 1, 19);
    int in = between(r, 1, 37);
    int out = between(r, 1, 37);
    c.differentiable.put("x", normal(r, m * in, 1));
    c.fixed.put("w", normal(r, out * in, 0.5));
    c.fixed.put("bias", normal(r, out, 1));
    c.builder =
        (g, t) ->
            List.of(
                Linear.of(
                    g,
                    "y",
                    OpCase.leaf(g, "x", t, m, in),
                    frozen(g, "w", t, out, in),
                    Optional.of(frozen(g, "bias", DType.F32, out)),
                    t));
    c.reference =
        x -> List.of(matmul(x.get("x"), x.get("w"), Optional.of(x.get("bias")), m, in, out));
    return c;
  }

  /** Two layers read one input: the second gradient is added to the first in place. */
  private static Instance linearShared(Random r) {
    Instance c = new Instance();
    int m = between(r, 1, 9);
    int in = between(r, 1, 20);
    int out = between(r, 1, 20);
    c.differentiable.put("x", normal(r, m * in, 1));
    c.fixed.put("w", normal(r, out * in, 0.5));
    c.fixed.put("v", normal(r, out * in, 0.5));
    c.builder =
        (g, t) -> {
          Value x = OpCase.leaf(g, "x", t, m, in);
          return List.of(
              Linear.of(g, "y", x, frozen(g, "w", t, out, in), Optional.empty(), t),
              Linear.of(g, "z", x, frozen(g, "v", t, out, in), Optional.empty(), t));
        };
    c.reference =
        x ->
            List.of(
                matmul(x.get("x"), x.get("w"), Optional.empty(), m, in, out),
                matmul(x.get("x"), x.get("v"), Optional.empty(), m, in, out));
    return c;
  }

  /** Sizes that the tensor cores' kernels take: multiples of 8, rows as they come. */
  private static Instance loraWholeChunks(Random r) {
    int rank = 8 * between(r, 1, 5);
    return lora(r, between(r, 1, 9), 8 * between(r, 1, 10), 8 * between(r, 1, 10), rank, 0, true);
  }

  private static Instance lora(Random r, float dropout, boolean bias) {
    // Not smaller: in a handful of numbers the two products can cancel, which no rounding survives.
    int m = between(r, 5, 19);
    return lora(r, m, between(r, 9, 37), between(r, 9, 37), between(r, 1, 9), dropout, bias);
  }

  private static Instance lora(
      Random r, int m, int in, int out, int rank, float dropout, boolean bias) {
    Instance c = new Instance();
    float scale = 0.75f;
    int stream = Philox.DROPOUT + 4;
    c.differentiable.put("x", normal(r, m * in, 1));
    c.differentiable.put("a", normal(r, rank * in, 0.5));
    c.differentiable.put("b", normal(r, out * rank, 0.5));
    c.fixed.put("w", normal(r, out * in, 0.5));
    c.fixed.put("bias", normal(r, out, 1));
    c.builder =
        (g, t) ->
            List.of(
                LoraLinear.of(
                    g,
                    "y",
                    OpCase.leaf(g, "x", t, m, in),
                    frozen(g, "w", t, out, in),
                    bias ? Optional.of(frozen(g, "bias", DType.F32, out)) : Optional.empty(),
                    LowRank.of(
                        g,
                        g.named(Kind.PARAM, "a", DType.F32, Shape.of(rank, in)),
                        g.named(Kind.PARAM, "b", DType.F32, Shape.of(out, rank)),
                        t),
                    new LoraLinear.Setting(scale, dropout, stream)));
    c.reference =
        v -> {
          double[] low = dropped(v.get("x"), dropout, stream);
          double[] xa = matmul(low, v.get("a"), Optional.empty(), m, in, rank);
          double[] up = matmul(xa, v.get("b"), Optional.empty(), m, rank, out);
          Optional<double[]> b = bias ? Optional.of(v.get("bias")) : Optional.empty();
          double[] y = matmul(v.get("x"), v.get("w"), b, m, in, out);
          for (int i = 0; i < y.length; i++) {
            y[i] += scale * up[i];
          }
          return List.of(y);
        };
    return c;
  }

  /** What dropout leaves of x. */
  static double[] dropped(double[] x, float dropout, int stream) {
    double[] low = x.clone();
    for (int i = 0; i < low.length && dropout > 0; i++) {
      int word = Philox.words(SEED, i / 4, stream, STEP, MICRO)[i % 4];
      low[i] = Philox.uniform(word) < dropout ? 0 : low[i] / (1 - dropout);
    }
    return low;
  }

  private static Instance norm(Random r, boolean residual) {
    Instance c = new Instance();
    int m = between(r, 1, 9);
    int n = between(r, 3, 70); // a norm over one channel is its sign: nothing is left to compare
    c.differentiable.put("x", normal(r, m * n, 1));
    if (residual) {
      c.differentiable.put("r", normal(r, m * n, 1));
    }
    c.fixed.put("w", normal(r, n, 1));
    c.builder =
        (g, t) -> {
          Value x = OpCase.leaf(g, "x", t, m, n);
          Optional<Value> other =
              residual ? Optional.of(OpCase.leaf(g, "r", t, m, n)) : Optional.empty();
          RmsNorm.Result result = RmsNorm.of(g, "y", x, other, frozen(g, "w", DType.F32, n), 1e-5f);
          return residual ? List.of(result.y(), result.sum()) : List.of(result.y());
        };
    c.reference =
        v -> {
          double[] sum = v.get("x").clone();
          for (int i = 0; residual && i < sum.length; i++) {
            sum[i] += v.get("r")[i];
          }
          double[] y = new double[m * n];
          for (int i = 0; i < m; i++) {
            double squares = 0;
            for (int k = 0; k < n; k++) {
              squares += sum[i * n + k] * sum[i * n + k];
            }
            double rstd = 1 / Math.sqrt(squares / n + 1e-5);
            for (int k = 0; k < n; k++) {
              y[i * n + k] = sum[i * n + k] * rstd * v.get("w")[k];
            }
          }
          return residual ? List.of(y, sum) : List.of(y);
        };
    return c;
  }

  /** First tokens of each token's document, for documents of random lengths. */
  static int[] documents(Random r, int m) {
    int[] start = new int[m];
    int from = 0;
    for (int i = 1; i < m; i++) {
      from = r.nextInt(12) == 0 ? i : from;
      start[i] = from;
    }
    return start;
  }

  /**
   * The deviation of queries and keys. Where only a few rows are drawn and in all of them one key
   * takes nearly all weight, what is left of the gradient is the rounding of o.
   */
  static double spread(int rows, double usual) {
    return rows < 8 ? 0.6 : usual;
  }

  /**
   * @param unit half of what heads' widths are multiples of, where each head has a sink
   */
  private static Instance attention(Random r, int window, float softcap, Optional<Integer> unit) {
    Instance c = new Instance();
    int m = between(r, 1, 75);
    int kv = between(r, 1, 2);
    int heads = kv * between(r, 1, 2);
    int dim = 2 * unit.orElse(1) * between(r, 1, 5);
    float scale = (float) (1 / Math.sqrt(dim));
    float[] sinks = normal(r, unit.isPresent() ? heads : 0, 1.5);
    int[] start = documents(r, m);
    double spread = spread(m, 1.5);
    c.differentiable.put("q", normal(r, m * heads * dim, spread));
    c.differentiable.put("k", normal(r, m * kv * dim, spread));
    c.differentiable.put("v", normal(r, m * kv * dim, 1));
    c.fixed.put("start", start);
    unit.ifPresent(u -> c.fixed.put("sinks", sinks));
    // Backward reads the rounded o; where one key takes nearly all weight, dp - do.o cancels.
    c.gradientSlack = 4;
    c.shape = String.format("M=%d heads=%d kv=%d D=%d", m, heads, kv, dim);
    Attention.Setting setting = Attention.Setting.causal(heads, kv, dim, scale, softcap, window, m);
    c.builder =
        (g, t) -> {
          Value q = OpCase.leaf(g, "q", t, m, (long) heads * dim);
          Value k = OpCase.leaf(g, "k", t, m, (long) kv * dim);
          Value v = OpCase.leaf(g, "v", t, m, (long) kv * dim);
          Value from = g.input("start", DType.I32, m);
          return List.of(
              unit.isEmpty()
                  ? Attention.of(g, "o", q, k, v, from, setting)
                  : SinkAttention.of(
                      g, "o", q, k, v, frozen(g, "sinks", DType.F32, heads), from, setting));
        };
    c.reference =
        x -> List.of(attention(x, sinks, start, m, heads, kv, dim, scale, softcap, window));
    return c;
  }

  private static double[] attention(
      Map<String, double[]> x,
      float[] sinks,
      int[] start,
      int m,
      int heads,
      int kv,
      int dim,
      double scale,
      double softcap,
      int window) {
    double[] o = new double[m * heads * dim];
    for (int i = 0; i < m; i++) {
      for (int h = 0; h < heads; h++) {
        int g = h / (heads / kv);
        int first = window > 0 ? Math.max(start[i], i - window + 1) : start[i];
        double[] p = new double[i - first + 1];
        double sum = sinks.length > 0 ? Math.exp(sinks[h]) : 0;
        for (int j = first; j <= i; j++) {
          double s = 0;
          for (int d = 0; d < dim; d++) {
            s += x.get("q")[(i * heads + h) * dim + d] * x.get("k")[(j * kv + g) * dim + d];
          }
          s *= scale;
          s = softcap > 0 ? softcap * Math.tanh(s / softcap) : s;
          p[j - first] = Math.exp(s);
          sum += p[j - first];
        }
        for (int j = first; j <= i; j++) {
          for (int d = 0; d < dim; d++) {
            o[(i * heads + h) * dim + d] += p[j - first] / sum * x.get("v")[(j * kv + g) * dim + d];
          }
        }
      }
    }
    return o;
  }

  private static Instance split(Random r, int groups) {
    Instance c = new Instance();
    int m = between(r, 1, 9);
    int parts = between(r, 2, 3);
    long[] columns = new long[parts];
    int width = 0;
    for (int i = 0; i < parts; i++) {
      columns[i] = between(r, 1, 9);
      width += (int) columns[i];
    }
    int each = width;
    long[] whole = LongStream.of(columns).map(n -> n * groups).toArray();
    c.differentiable.put("x", normal(r, (long) m * groups * each, 1));
    c.builder =
        (g, t) -> Split.ofGroups(g, OpCase.leaf(g, "x", t, m, groups * each), groups, whole);
    c.reference =
        v -> {
          List<double[]> result = new ArrayList<>();
          int from = 0;
          for (long n : columns) {
            double[] part = new double[m * groups * (int) n];
            for (int i = 0; i < m * groups; i++) {
              System.arraycopy(v.get("x"), i * each + from, part, i * (int) n, (int) n);
            }
            result.add(part);
            from += (int) n;
          }
          return result;
        };
    return c;
  }

  /** The step that dropout and the loss read. */
  static StepState step(long labelled) {
    return new StepState(SEED, STEP, MICRO, 1e-2, 0.9, 0.999, labelled);
  }
}

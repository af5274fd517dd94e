package org.loranative.benchmarks;

import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.loranative.graph.Autodiff;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Attention;
import org.loranative.graph.ops.LinearCrossEntropy;
import org.loranative.graph.ops.LoraLinear;
import org.loranative.graph.ops.RmsNorm;
import org.loranative.io.DType;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * How long do the ops take at SmolLM2's sizes, 1024 tokens in documents of 256? Each op with its
 * backward ("both") or alone ("forward"); a small low-rank layer before it makes it want a
 * gradient.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 2)
@Measurement(iterations = 3, time = 2)
public class OpBenchmark {
  private static final int TOKENS = 1024;
  private static final int HIDDEN = 576;
  private static final int FFN = 1536;
  private static final int VOCAB = 49152;

  @Param({"f32", "bf16"})
  String dtype;

  @Param({"forward", "both"})
  String pass;

  @Param({"lora_linear", "attention", "rms_norm", "linear_cross_entropy"})
  String op;

  private Bench bench;

  /** Peak native memory of the plan, in MB. */
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.EVENTS)
  public static class Counters {
    public double planMegabytes;
  }

  @Setup
  public void open() {
    Graph g = new Graph();
    DType t = Bench.dtype(dtype);
    Value x = lora(g, g.input("x", t, TOKENS, HIDDEN), "in", HIDDEN, t);
    Value y =
        switch (op) {
          case "lora_linear" -> lora(g, x, "op", FFN, t);
          case "attention" -> attention(g, x, t);
          case "rms_norm" ->
              RmsNorm.of(
                      g,
                      "norm",
                      x,
                      Optional.of(x),
                      g.named(Kind.WEIGHT, "w", DType.F32, Shape.of(HIDDEN)),
                      1e-5f)
                  .y();
          default -> x;
        };
    boolean head = op.equals("linear_cross_entropy");
    boolean both = pass.equals("both");
    if (head || both) {
      long width = y.shape().last();
      long vocab = head ? VOCAB : 16; // a loss that costs next to nothing
      LinearCrossEntropy.of(
          g,
          y,
          g.named(Kind.WEIGHT, "head", t, Shape.of(vocab, width)),
          g.input("labels", DType.I32, TOKENS),
          0,
          both);
    }
    if (both) {
      Autodiff.backward(g);
    } else {
      g.result(y);
    }
    bench = new Bench(g);
  }

  private static Value lora(Graph g, Value x, String name, int out, DType t) {
    long in = x.shape().last();
    return LoraLinear.of(
        g,
        name,
        x,
        g.named(Kind.WEIGHT, name + ".w", t, Shape.of(out, in)),
        Optional.empty(),
        g.named(Kind.PARAM, name + ".a", DType.F32, Shape.of(8, in)),
        g.named(Kind.PARAM, name + ".b", DType.F32, Shape.of(out, 8)),
        new LoraLinear.Setting(2, 0, 1));
  }

  private static Value attention(Graph g, Value q, DType t) {
    Value k = lora(g, q, "k", HIDDEN / 3, t);
    Value v = lora(g, q, "v", HIDDEN / 3, t);
    return Attention.of(
        g,
        "attention",
        q,
        k,
        v,
        g.input("doc_start", DType.I32, TOKENS),
        Attention.Setting.causal(9, 3, 64, 0.125f, 0, 0, 256));
  }

  @Benchmark
  public void run(Counters counters) {
    bench.run();
    counters.planMegabytes = bench.arenaBytes() / 1e6;
  }

  @TearDown
  public void close() {
    bench.close();
  }
}

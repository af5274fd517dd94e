package org.loranative.benchmarks;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.loranative.graph.Graph;
import org.loranative.graph.Recompute;
import org.loranative.lora.Adapters;
import org.loranative.lora.LoraSpec;
import org.loranative.model.llm.LlmBase;
import org.loranative.model.llm.LlmGraph;
import org.loranative.model.llm.SupervisedObjective;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * How many tokens a second does a whole step of SmolLM2-135M take (forward and backward, rank 8 on
 * all linear layers, 1024 tokens, every one labelled), and how much memory, by what is recomputed?
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 1, time = 4)
@Measurement(iterations = 3, time = 4)
public class StepBenchmark {
  private static final int TOKENS = 1024;

  @Param({"f32", "bf16"})
  String dtype;

  @Param({"NOTHING", "CHEAP_OPS", "EVERYTHING"})
  Recompute.Mode recompute;

  private Bench bench;

  @Setup
  public void open() {
    LlmBase base = LlmBase.open(Path.of("models/cache/SmolLM2-135M-Instruct.Q4_1.gguf"));
    Adapters adapters =
        new Adapters(new LoraSpec(8, 8, 0, List.of("all-linear"), false), base.targets());
    Graph full =
        LlmGraph.training(
            base, adapters, Bench.dtype(dtype), new SupervisedObjective(), TOKENS, TOKENS);
    Map<String, Recompute.Mode> modes =
        Recompute.blocks(full).stream().collect(Collectors.toMap(b -> b, b -> recompute));
    bench = new Bench(Recompute.apply(full, modes));
    System.out.printf("arena %.1f MB%n", bench.arenaBytes() / 1e6);
  }

  @Benchmark
  @OperationsPerInvocation(TOKENS)
  public void tokens() {
    bench.run();
  }

  @TearDown
  public void close() {
    bench.close();
  }
}

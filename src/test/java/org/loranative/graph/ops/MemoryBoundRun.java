package org.loranative.graph.ops;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.loranative.device.Device;
import org.loranative.device.Memory;
import org.loranative.graph.Executor;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Plan;
import org.loranative.graph.Planner;
import org.loranative.graph.Shape;
import org.loranative.graph.StepState;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.io.Numbers;
import org.loranative.lora.AdapterMethod;
import org.loranative.lora.AdapterMethods;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;
import org.loranative.lora.LoraInit;
import org.loranative.lora.LoraSpec;
import org.loranative.optim.Hyperparameters;
import org.loranative.optim.Optimizers;
import org.loranative.optim.Update;
import org.loranative.testing.TestDevices;

/** The part of {@link TrafficRun} whose kernels memory binds: adapters' weights, optimizers. */
final class MemoryBoundRun {
  private static final String DEVICE = "cuda-check";
  private static final int RANK = 8;
  private static final int ROWS = 32;
  private static final float SCALE = 0.5f;

  private MemoryBoundRun() {}

  static void all(Random r) {
    for (DType format : List.of(DType.BF16, DType.NF4, DType.Q6_K)) {
      doraNorm(r, format, 64, 512);
    }
    doraScale(r, 600, 256);
    loha(r, 96, 256);
    lokr(r, 4, 24, 4, 64);
    List.of("adamw", "adamw8bit", "lion", "schedule_free_adamw", "prodigy", "adafactor", "came")
        .forEach(MemoryBoundRun::optimizer);
  }

  private static void doraNorm(Random r, DType format, int out, int in) {
    boolean blocks = format.isBlocks();
    BlockMatrix w = BlockMatrix.random(blocks ? format : DType.Q8_0, out * in, r);
    run(
        (g, t) ->
            DoraNorm.of(
                g,
                "norm",
                g.named(Kind.WEIGHT, "w", blocks ? format : t, Shape.of(out, in)),
                parameter(g, "a", RANK, in),
                parameter(g, "b", out, RANK),
                SCALE),
        Map.of(
            "w", w.numbers(),
            "a", OpCases.normal(r, RANK * in, 0.1),
            "b", OpCases.normal(r, out * RANK, 0.1),
            "dy", OpCases.normal(r, out, 1)),
        List.of(),
        blocks ? Map.of("w", w.bytes()) : Map.of());
  }

  private static void doraScale(Random r, int rows, int channels) {
    float[] norms = new float[channels];
    Arrays.fill(norms, 2);
    run(
        (g, t) ->
            DoraScale.of(
                g,
                "y",
                OpCase.leaf(g, "z", t, rows, channels),
                parameter(g, "magnitude", channels),
                g.named(Kind.WEIGHT, "norm", DType.F32, Shape.of(channels)),
                Optional.empty()),
        Map.of(
            "z", OpCases.normal(r, rows * channels, 1),
            "magnitude", OpCases.normal(r, channels, 1),
            "norm", norms,
            "dy", OpCases.normal(r, rows * channels, 1)),
        List.of("z", "magnitude"),
        Map.of());
  }

  private static void loha(Random r, int out, int in) {
    Map<String, float[]> numbers = new HashMap<>();
    for (String i : List.of("1", "2")) {
      numbers.put("a" + i, OpCases.normal(r, out * RANK, 0.5));
      numbers.put("b" + i, OpCases.normal(r, RANK * in, 0.5));
    }
    numbers.put("x", OpCases.normal(r, ROWS * in, 1));
    numbers.put("dy", OpCases.normal(r, ROWS * out, 1));
    run(
        (g, t) ->
            layer(
                g,
                t,
                in,
                Loha.of(
                    g,
                    "d",
                    parameter(g, "a1", out, RANK),
                    parameter(g, "b1", RANK, in),
                    parameter(g, "a2", out, RANK),
                    parameter(g, "b2", RANK, in),
                    SCALE,
                    t)),
        numbers,
        List.of("a1", "b1", "a2", "b2"),
        Map.of());
  }

  private static void lokr(Random r, int outL, int outK, int inM, int inN) {
    run(
        (g, t) ->
            layer(
                g,
                t,
                inM * inN,
                Lokr.of(
                    g,
                    "d",
                    parameter(g, "w1", outL, inM),
                    parameter(g, "w2", outK, inN),
                    Optional.empty(),
                    new Lokr.Setting(1, SCALE),
                    t)),
        Map.of(
            "x", OpCases.normal(r, ROWS * inM * inN, 1),
            "w1", OpCases.normal(r, outL * inM, 0.5),
            "w2", OpCases.normal(r, outK * inN, 0.5),
            "dy", OpCases.normal(r, ROWS * outL * outK, 1)),
        List.of("w1", "w2"),
        Map.of());
  }

  /** A product with a weight that is made of others. */
  private static Value layer(Graph g, DType t, int in, Value weight) {
    return Linear.of(g, "y", OpCase.leaf(g, "x", t, ROWS, in), weight, Optional.empty(), t);
  }

  private static Value parameter(Graph g, String name, long... dims) {
    return g.named(Kind.PARAM, name, DType.F32, Shape.of(dims));
  }

  private static void run(
      OpRun.Builder builder,
      Map<String, float[]> numbers,
      List<String> leaves,
      Map<String, ByteBuffer> blocks) {
    new OpRun(builder, numbers, Map.of(), leaves, blocks).on(DEVICE, DType.BF16);
  }

  /** A step on two layers. */
  private static void optimizer(String name) {
    Hyperparameters h = new Hyperparameters(0.9f, 0.999f, 1e-8f, 0.1f);
    AdapterMethod.Choices plain = new AdapterMethod.Choices(-1, LoraInit.DEFAULT, 1);
    LoraSpec spec =
        new LoraSpec(
            AdapterMethods.named("lora", plain).orElseThrow(),
            RANK,
            RANK,
            0,
            List.of("first", "second"),
            false,
            1);
    Adapters adapters =
        new Adapters(
            List.of(spec),
            List.of(
                new Adapters.Target("first", 512, 256), new Adapters.Target("second", 256, 384)));
    var optimizer = Optimizers.named(name, h);
    try (Device device = TestDevices.open(DEVICE);
        AdapterState state =
            new AdapterState(device, adapters, DType.F32, optimizer.slots(adapters));
        Executor executor = new Executor(device, true)) {
      Plan plan = Planner.plan(Update.of(optimizer, adapters, DType.F32, 1), device);
      try (Memory arena = device.allocate(plan.arenaBytes())) {
        float[] numbers = new float[(int) adapters.floats()];
        for (int i = 0; i < numbers.length; i++) {
          numbers[i] = (float) Math.sin(i);
        }
        state.begin(Numbers.of(numbers));
        state.write(AdapterState.GRADS, Numbers.of(numbers));
        state.writeStep(new StepState(1, 1, 0, 1e-3, h.beta1(), h.beta2(), 1, 1));
        executor.prepare(plan, arena.address());
        executor.run(plan, plan.bind(arena, state::address));
      }
    }
  }
}

package org.loranative.optim;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.loranative.device.CpuDevice;
import org.loranative.device.Device;
import org.loranative.device.Memory;
import org.loranative.graph.Executor;
import org.loranative.graph.Graph;
import org.loranative.graph.Plan;
import org.loranative.graph.Planner;
import org.loranative.graph.StepState;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.lora.AdapterMethod;
import org.loranative.lora.AdapterMethods;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;
import org.loranative.lora.LoraInit;
import org.loranative.lora.LoraSpec;
import org.loranative.testing.Bf16;
import org.loranative.testing.Seeded;
import org.loranative.testing.TestDevices;

/** What products in 16 bits read of adapters is what is trained, whatever changes that. */
@ExtendWith(Seeded.class)
class RoundedCopiesTest {
  private static final String COPIES = "rounded";
  private static final List<Adapters.Target> LAYERS =
      List.of(
          new Adapters.Target("a.whole", 32, 24),
          new Adapters.Target("b.ragged", 17, 9),
          new Adapters.Target("c.conv", 9 * 8, 5, 3),
          Adapters.Target.ofExperts("d.experts", 24, 11, 3),
          new Adapters.Target("e.dora", 16, 8),
          new Adapters.Target("f.loha", 16, 8));

  static List<String> devices() {
    return TestDevices.ops();
  }

  @ParameterizedTest
  @MethodSource("devices")
  void followTheAdapters(String name, Random r) {
    Assumptions.assumeTrue(!name.equals("cpu") || CpuDevice.hasBf16());
    Adapters adapters =
        new Adapters(
            List.of(
                spec("lora", 16, "a.whole"),
                spec("lora", 5, "b.ragged", "c.conv", "d.experts"),
                spec("dora", 4, "e.dora"),
                spec("loha", 2, "f.loha")),
            LAYERS);
    Optimizer optimizer =
        Optimizers.averaged(
            Optimizers.named("adamw", new Hyperparameters(0.9f, 0.999f, 1e-8f, 0.01f)), 0.5);
    try (Device device = TestDevices.open(name);
        AdapterState state =
            new AdapterState(device, adapters, DType.BF16, optimizer.slots(adapters))) {
      state.begin(numbers(adapters, r));
      check(adapters, state);
      for (int step = 1; step <= 2; step++) {
        float[] before = state.read(AdapterState.PARAMS);
        state.write(AdapterState.GRADS, numbers(adapters, r));
        update(device, adapters, optimizer, state, step);
        assertThat(state.read(AdapterState.PARAMS)).isNotEqualTo(before);
        check(adapters, state);
      }
      float[] trained = state.read(AdapterState.PARAMS);
      try (EvaluatedState evaluated = new EvaluatedState(optimizer, state)) {
        assertThat(state.read(AdapterState.PARAMS)).as("" + evaluated).isNotEqualTo(trained);
        check(adapters, state);
      }
      assertThat(state.read(AdapterState.PARAMS)).isEqualTo(trained);
      check(adapters, state);
      ByteBuffer restored = state.readBytes(AdapterState.PARAMS);
      state.begin(numbers(adapters, r));
      check(adapters, state);
      state.writeBytes(AdapterState.PARAMS, restored); // as a checkpoint is
      check(adapters, state);
      assertThat(state.kept()).noneMatch(slot -> slot.name().startsWith(COPIES));
    }
  }

  private static LoraSpec spec(String method, int rank, String... layers) {
    AdapterMethod.Choices plain = new AdapterMethod.Choices(-1, LoraInit.DEFAULT, 1);
    return new LoraSpec(
        AdapterMethods.named(method, plain).orElseThrow(),
        rank,
        rank,
        0,
        List.of(layers),
        false,
        1);
  }

  private static float[] numbers(Adapters adapters, Random r) {
    float[] flat = new float[Math.toIntExact(adapters.floats())];
    for (int i = 0; i < flat.length; i++) {
      flat[i] = (float) r.nextGaussian();
    }
    return flat;
  }

  private static void update(
      Device device, Adapters adapters, Optimizer optimizer, AdapterState state, int step) {
    Graph graph = Update.of(optimizer, adapters, DType.BF16, 1);
    Plan plan = Planner.plan(graph, device);
    state.writeStep(new StepState(1, step, 0, 0.1, 0.9, 0.999, 1));
    try (Memory arena = device.allocate(plan.arenaBytes());
        Executor executor = new Executor(device, true)) {
      executor.run(plan, plan.bind(arena, state::address));
    }
  }

  /** Each product's matrix, with the zeros that fill up its rank. */
  private static void check(Adapters adapters, AdapterState state) {
    float[] flat = state.read(AdapterState.PARAMS);
    ByteBuffer copies = state.readBytes(COPIES);
    int found = 0;
    Graph g = new Graph();
    long start = state.address(AdapterState.value(g, COPIES, adapters));
    for (Adapters.Module m : adapters.modules()) {
      for (Adapters.Place p : m.parts()) {
        Value copy = new Graph().input(m.path() + "." + p.part().name() + ".rounded", DType.BF16);
        if (!state.holds(copy)) {
          continue;
        }
        found++;
        int at = Math.toIntExact(state.address(copy) - start);
        float[] x = p.of(flat);
        int n = p.part().shape().dims().size();
        boolean a = p.part().name().endsWith("A");
        int rows = (int) p.part().shape().dim(n - 2);
        int columns = (int) p.part().shape().last();
        int paddedRows = a ? (rows + 7) / 8 * 8 : rows;
        int paddedColumns = a ? columns : (columns + 7) / 8 * 8;
        int experts = x.length / rows / columns;
        for (int i = 0; i < experts * paddedRows * paddedColumns; i++) {
          int e = i / (paddedRows * paddedColumns);
          int row = i / paddedColumns % paddedRows;
          int column = i % paddedColumns;
          float expected =
              row < rows && column < columns
                  ? Bf16.round(x[(e * rows + row) * columns + column])
                  : 0;
          assertThat(Bf16.value(copies.getShort(at + 2 * i)))
              .as("%s, number %d of %s", m.path(), i, p.part().name())
              .isEqualTo(expected);
        }
      }
    }
    assertThat(found).as("LoRA and DoRA have copies").isEqualTo(10);
  }
}

package org.loranative.optim;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.loranative.device.CpuDevice;
import org.loranative.device.Device;
import org.loranative.device.HostBuffer;
import org.loranative.device.Memory;
import org.loranative.graph.Executor;
import org.loranative.graph.Graph;
import org.loranative.graph.Plan;
import org.loranative.graph.Planner;
import org.loranative.graph.StepState;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.io.Numbers;
import org.loranative.io.Safetensors;
import org.loranative.lora.AdapterMethod;
import org.loranative.lora.AdapterMethods;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;
import org.loranative.lora.LoraInit;
import org.loranative.lora.LoraSpec;
import org.loranative.lora.Slot;
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

  @TempDir private Path folder;

  static List<String> devices() {
    return TestDevices.ops();
  }

  @ParameterizedTest
  @MethodSource("devices")
  void followTheAdapters(String name, Random r) throws IOException {
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
      check(device, adapters, state);
      for (int step = 1; step <= 2; step++) {
        float[] before = state.numbers(AdapterState.PARAMS).all();
        state.write(AdapterState.GRADS, numbers(adapters, r));
        update(device, adapters, optimizer, state, step);
        assertThat(state.numbers(AdapterState.PARAMS).all()).isNotEqualTo(before);
        check(device, adapters, state);
      }
      float[] trained = state.numbers(AdapterState.PARAMS).all();
      try (EvaluatedState evaluated = new EvaluatedState(optimizer, state)) {
        assertThat(state.numbers(AdapterState.PARAMS).all())
            .as("" + evaluated)
            .isNotEqualTo(trained);
        check(device, adapters, state);
      }
      assertThat(state.numbers(AdapterState.PARAMS).all()).isEqualTo(trained);
      check(device, adapters, state);
      Slot params = state.kept().get(0);
      assertThat(params.name()).isEqualTo(AdapterState.PARAMS);
      Path checkpoint = folder.resolve("optimizer.safetensors");
      Safetensors.stream(checkpoint, List.of(state.stream(params)), Map.of());
      state.begin(numbers(adapters, r));
      check(device, adapters, state);
      state.restore(params, Safetensors.read(checkpoint).tensors().get(params.name()));
      assertThat(state.numbers(AdapterState.PARAMS).all()).isEqualTo(trained);
      check(device, adapters, state);
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

  private static Numbers numbers(Adapters adapters, Random r) {
    float[] flat = new float[Math.toIntExact(adapters.floats())];
    for (int i = 0; i < flat.length; i++) {
      flat[i] = (float) r.nextGaussian();
    }
    return Numbers.of(flat);
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
  private static void check(Device device, Adapters adapters, AdapterState state) {
    Numbers flat = state.numbers(AdapterState.PARAMS);
    int found = 0;
    for (Adapters.Module m : adapters.modules()) {
      for (Adapters.Place p : m.parts()) {
        Value copy = new Graph().input(m.path() + "." + p.part().name() + ".rounded", DType.BF16);
        if (!state.holds(copy)) {
          continue;
        }
        found++;
        float[] x = p.of(flat).all();
        int n = p.part().shape().dims().size();
        boolean a = p.part().name().endsWith("A");
        int rows = (int) p.part().shape().dim(n - 2);
        int columns = (int) p.part().shape().last();
        int paddedRows = a ? (rows + 7) / 8 * 8 : rows;
        int paddedColumns = a ? columns : (columns + 7) / 8 * 8;
        int count = x.length / rows / columns * paddedRows * paddedColumns;
        ByteBuffer copies = read(device, state.address(copy), 2 * count);
        for (int i = 0; i < count; i++) {
          int e = i / (paddedRows * paddedColumns);
          int row = i / paddedColumns % paddedRows;
          int column = i % paddedColumns;
          float expected =
              row < rows && column < columns
                  ? Bf16.round(x[(e * rows + row) * columns + column])
                  : 0;
          assertThat(Bf16.value(copies.getShort(2 * i)))
              .as("%s, number %d of %s", m.path(), i, p.part().name())
              .isEqualTo(expected);
        }
      }
    }
    assertThat(found).as("LoRA and DoRA have copies").isEqualTo(10);
  }

  private static ByteBuffer read(Device device, long address, int bytes) {
    try (HostBuffer host = new HostBuffer(bytes)) {
      device.download(host, address, bytes);
      ByteBuffer copy = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
      return copy.put(host.view()).flip();
    }
  }
}

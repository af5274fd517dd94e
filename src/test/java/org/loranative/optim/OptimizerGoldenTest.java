package org.loranative.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.loranative.device.Device;
import org.loranative.device.Memory;
import org.loranative.graph.Addresses;
import org.loranative.graph.Executor;
import org.loranative.graph.Plan;
import org.loranative.graph.Planner;
import org.loranative.graph.StepState;
import org.loranative.io.DType;
import org.loranative.io.Numbers;
import org.loranative.lora.AdapterMethod;
import org.loranative.lora.AdapterMethods;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;
import org.loranative.lora.LoraInit;
import org.loranative.lora.LoraSpec;
import org.loranative.lora.Slot;
import org.loranative.testing.Errors;
import org.loranative.testing.Golden;
import org.loranative.testing.TestDevices;

/**
 * Optimizers against their reference implementations over ten steps, each with a learning rate of
 * its own, clipped gradients, matrices and a vector, and a second layer that learns at another
 * rate.
 */
class OptimizerGoldenTest {
  private static final int STEPS = 10;
  private static final int RANK = 4;
  private static final float MAX_NORM = 2;
  private static final List<Adapters.Target> LAYERS =
      List.of(
          new Adapters.Target("first", 33, 20),
          new Adapters.Target("second", 300, 17),
          new Adapters.Target("third", 40, 23));

  /**
   * @param rate of the first layer
   * @param second that of the second layer, relative to it
   * @param bytes of state for each number
   * @param decay of the average that is kept beside it, 0 for none
   */
  private record Case(
      String name,
      Hyperparameters hyperparameters,
      double rate,
      double second,
      int bytes,
      double decay) {
    Case(String name, Hyperparameters hyperparameters, double rate, double second, int bytes) {
      this(name, hyperparameters, rate, second, bytes, 0);
    }

    @Override
    public String toString() {
      return name + (hyperparameters.warmup() ? "_warmup" : "") + (decay > 0 ? "_ema" : "");
    }

    Optimizer optimizer() {
      Optimizer plain = Optimizers.named(name, hyperparameters);
      return decay > 0 ? Optimizers.averaged(plain, decay) : plain;
    }
  }

  private static final List<Case> CASES =
      List.of(
          new Case("lion", new Hyperparameters(0.9f, 0.99f, 1e-8f, 0.1f), 1e-3, 0.25, 4),
          new Case(
              "schedule_free_adamw", new Hyperparameters(0.9f, 0.999f, 1e-8f, 0.1f), 1e-2, 0.25, 8),
          new Case("prodigy", new Hyperparameters(0.9f, 0.999f, 1e-8f, 0.1f), 1, 1, 16),
          new Case("prodigy", new Hyperparameters(0.9f, 0.999f, 1e-8f, 0.1f, true), 1, 1, 16),
          new Case("adafactor", new Hyperparameters(0.9f, 0.999f, 1e-8f, 0.1f), 1e-2, 0.25, 0),
          new Case("came", new Hyperparameters(0.9f, 0.999f, 1e-8f, 0.1f), 1e-2, 0.25, 4),
          new Case("adamw", new Hyperparameters(0.9f, 0.999f, 1e-8f, 0.1f), 1e-2, 0.25, 12, 0.4));

  static Stream<Arguments> everywhere() {
    return CASES.stream()
        .flatMap(c -> TestDevices.OPS.stream().map(device -> Arguments.of(c, device)));
  }

  /** A run of an optimizer alone: gradients come from a file. */
  private static final class Steps implements AutoCloseable {
    final Case c;
    final Golden golden;
    final Device device;
    final Adapters adapters;
    final Optimizer optimizer;
    final AdapterState state;
    final Plan plan;
    final Memory arena;
    final Addresses at;
    final Executor executor;

    Steps(Case c, String deviceName) {
      this.c = c;
      golden = new Golden(Golden.FOLDER.resolve("optimizers/" + c + ".safetensors"));
      device = TestDevices.open(deviceName);
      adapters = new Adapters(specs(c.second()), LAYERS);
      optimizer = c.optimizer();
      state = new AdapterState(device, adapters, DType.F32, optimizer.slots(adapters));
      plan = Planner.plan(Update.of(optimizer, adapters, DType.F32, MAX_NORM), device);
      arena = device.allocate(plan.arenaBytes());
      at = plan.bind(arena, state::address);
      executor = new Executor(device, true);
      state.begin(Numbers.of(flat("start", 0)));
    }

    /** The third layer has a vector too: DoRA's magnitudes. */
    static List<LoraSpec> specs(double second) {
      return List.of(
          spec("lora", "first", 1), spec("lora", "second", second), spec("dora", "third", 1));
    }

    private static LoraSpec spec(String method, String layer, double rate) {
      AdapterMethod.Choices plain = new AdapterMethod.Choices(-1, LoraInit.DEFAULT, 1);
      return new LoraSpec(
          AdapterMethods.named(method, plain).orElseThrow(),
          RANK,
          RANK,
          0,
          List.of(layer),
          false,
          rate);
    }

    /** The layers' numbers in the layout of the flat buffer. */
    float[] flat(String name, int step) {
      float[] flat = new float[(int) adapters.floats()];
      int i = 0;
      for (Adapters.Module m : adapters.modules()) {
        for (Adapters.Place p : m.parts()) {
          copy(name + "." + i++, step, flat, (int) p.offset(), (int) p.part().size());
        }
      }
      return flat;
    }

    private void copy(String name, int step, float[] to, int offset, int size) {
      System.arraycopy(golden.floats(name), step * size, to, offset, size);
    }

    /**
     * Step {@code t}, 1 for the first.
     *
     * @param scale times that gradients are kept
     */
    void step(int t, float[] grads, float scale) {
      double rate = c.rate() * (1 + 0.1 * ((t - 1) % 4));
      Hyperparameters h = c.hyperparameters();
      state.write(AdapterState.GRADS, Numbers.of(grads));
      state.writeStep(new StepState(1, t, 0, rate, h.beta1(), h.beta2(), 1, scale));
      executor.prepare(plan, arena.address());
      executor.run(plan, at);
      assertThat(state.numbers(AdapterState.GRADS).all()).containsOnly(0f);
    }

    float[] params() {
      return state.numbers(AdapterState.PARAMS).all();
    }

    /** All that a checkpoint would hold. */
    Map<String, String> kept() {
      Map<String, String> kept = new HashMap<>();
      for (Slot slot : state.kept()) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
          state.stream(slot).content().write(bytes);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
        kept.put(slot.name(), HexFormat.of().formatHex(bytes.toByteArray()));
      }
      return kept;
    }

    @Override
    public void close() {
      executor.close();
      arena.close();
      state.close();
      device.close();
    }
  }

  /** How far {@code actual} is from where the reference is, relative to how far that has moved. */
  private static double error(float[] actual, float[] expected, float[] start) {
    float[] moved = new float[start.length];
    float[] shouldMove = new float[start.length];
    for (int i = 0; i < start.length; i++) {
      moved[i] = actual[i] - start[i];
      shouldMove[i] = expected[i] - start[i];
    }
    return Errors.relative(moved, shouldMove);
  }

  @ParameterizedTest
  @MethodSource("everywhere")
  void followsItsReference(Case c, String device) {
    try (Steps run = new Steps(c, device)) {
      for (int t = 1; t <= STEPS; t++) {
        run.step(t, run.flat("grads", t - 1), 1);
        if (run.golden.tensors().containsKey("d")) {
          assertThat(run.optimizer.scalars(run.state).get("d"))
              .isCloseTo(run.golden.floats("d")[t - 1], Percentage.withPercentage(0.2));
        }
      }
      float[] start = run.flat("start", 0);
      // Prodigy's first steps are hardly longer than a rounding of the numbers that they move.
      double tolerance = c.name().equals("prodigy") ? 1e-3 : 1e-4;
      assertThat(error(run.params(), run.flat("final", 0), start)).isLessThan(tolerance);
      Map<String, String> trained = run.kept();
      if (run.golden.tensors().containsKey("evaluated.0")) {
        try (EvaluatedState evaluation = new EvaluatedState(run.optimizer, run.state)) {
          assertThat(error(run.params(), run.flat("evaluated", 0), start)).isLessThan(1e-4);
        }
        assertThat(run.kept()).isEqualTo(trained);
      }
    }
  }

  /** With the loss scale of f16: a power of two changes no bit, and an overflow changes nothing. */
  @ParameterizedTest
  @MethodSource("everywhere")
  void keepsItsStateThroughAnOverflow(Case c, String device) {
    try (Steps plain = new Steps(c, device);
        Steps scaled = new Steps(c, device)) {
      for (int t = 1; t <= 4; t++) {
        float[] grads = plain.flat("grads", t - 1);
        plain.step(t, grads, 1);
        float[] large = grads.clone();
        for (int i = 0; i < large.length; i++) {
          large[i] *= 1024;
        }
        if (t == 3) {
          Map<String, String> before = scaled.kept();
          float[] overflowed = large.clone();
          overflowed[7] = Float.POSITIVE_INFINITY;
          scaled.step(t, overflowed, 1024);
          overflowed[7] = Float.NaN;
          scaled.step(t, overflowed, 1024);
          assertThat(scaled.kept()).isEqualTo(before);
        }
        scaled.step(t, large, 1024);
      }
      assertThat(error(scaled.params(), plain.params(), plain.flat("start", 0))).isLessThan(1e-5);
    }
  }

  /** Settings that ask for it are refused before: ResumeTest. */
  @Test
  void oneEstimateKnowsNoRatesOfLayers() {
    Optimizer prodigy = Optimizers.named("prodigy", new Hyperparameters(0.9f, 0.999f, 1e-8f, 0));
    Adapters adapters = new Adapters(Steps.specs(0.25), LAYERS);
    assertThatThrownBy(() -> Update.of(prodigy, adapters, DType.F32, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("one rate");
  }

  /** What {@code plan} shows. */
  @ParameterizedTest
  @MethodSource("everywhere")
  void takesTheMemoryItSays(Case c, String device) {
    try (Steps run = new Steps(c, device)) {
      long state =
          AdapterState.bytes(run.adapters, DType.F32, run.optimizer.slots(run.adapters))
              - AdapterState.bytes(run.adapters, DType.F32, List.of());
      assertThat(state)
          .isBetween(c.bytes() * run.adapters.floats(), c.bytes() * run.adapters.floats() + 8192);
    }
  }
}

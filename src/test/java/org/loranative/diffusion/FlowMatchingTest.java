package org.loranative.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.loranative.UserException;
import org.loranative.testing.Errors;
import org.loranative.testing.Golden;

/** Flow matching against diffusers: whole trajectories, weights, how timesteps are drawn. */
class FlowMatchingTest {
  private static final Golden GOLDEN = new Golden(Golden.FOLDER.resolve("flow.safetensors"));
  private static final FlowMatching FLOW = flow(3);

  /** Of latents; the shift is a constant here. */
  private static final long SIZE = 64;

  private static FlowMatching flow(double shift) {
    return new FlowMatching(
        1000, new FlowShift.Constant(shift), FlowSpacing.TRAINED, TimestepSampling.LOGIT_NORMAL);
  }

  /** That of make_flow_golden.py. */
  private static float[] model(float[] x, double t) {
    float[] y = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = (float) (0.6 * x[i] + 0.2 * Math.sin(x[i] + t / 100));
    }
    return y;
  }

  static Stream<String> walks() {
    return GOLDEN.tensors().keySet().stream().filter(n -> n.matches("(euler|heun)\\..*"));
  }

  @ParameterizedTest
  @MethodSource("walks")
  void walksAsDiffusersDoes(String name) {
    String[] parts = name.split("\\.");
    float[] actual =
        flow(Double.parseDouble(parts[1] + "." + parts[2]))
            .sampler(parts[0])
            .orElseThrow()
            .sample(
                Integer.parseInt(parts[3]),
                SIZE,
                GOLDEN.floats("start"),
                FlowMatchingTest::model,
                i -> new float[0]);
    assertThat(Errors.relative(actual, GOLDEN.floats(name))).as(name).isLessThan(5e-5);
  }

  /** The shift goes by the image's size, the steps are even. */
  @Test
  void walksAsFluxPipelineDoes() {
    FlowMatching flux =
        new FlowMatching(
            1000, FlowShift.BySize.FLUX, FlowSpacing.EVEN, TimestepSampling.LOGIT_NORMAL);
    List<String> names =
        GOLDEN.tensors().keySet().stream().filter(n -> n.startsWith("flux.")).toList();
    assertThat(names).hasSize(6);
    for (String name : names) {
      String[] parts = name.split("\\.");
      long side = Long.parseLong(parts[1]);
      float[] actual =
          flux.sampler("euler")
              .orElseThrow()
              .sample(
                  Integer.parseInt(parts[2]),
                  side * side,
                  GOLDEN.floats("start"),
                  FlowMatchingTest::model,
                  i -> new float[0]);
      assertThat(Errors.relative(actual, GOLDEN.floats(name))).as(name).isLessThan(5e-5);
    }
  }

  private static NoiseChoice choice(
      Optional<TimestepSampling> sampling, OptionalDouble shift, FlowWeighting weighting) {
    return new NoiseChoice(0, 1000, 0, false, sampling, shift, weighting);
  }

  private static TrainingNoise drawn(TimestepSampling sampling) {
    return FLOW.training(choice(Optional.of(sampling), OptionalDouble.empty(), FlowWeighting.NONE));
  }

  @Test
  void weighsAsDiffusersDoes() {
    for (FlowWeighting w : FlowWeighting.values()) {
      TrainingNoise noise = FLOW.training(choice(Optional.empty(), OptionalDouble.empty(), w));
      float[] sigmas = GOLDEN.floats("sigmas");
      for (int i = 0; i < sigmas.length; i++) {
        double expected = w == FlowWeighting.NONE ? 1 : GOLDEN.floats("weights." + w.label())[i];
        assertThat(noise.weight(sigmas[i] * 1000) / expected).isCloseTo(1, within(1e-5));
      }
    }
  }

  @Test
  void measurementsNameSigma() {
    FlowMatching flow = flow(3);
    assertThat(flow.label(250, 500)).isEqualTo("sigma0.25-0.50");
    assertThat(flow.label(31)).isEqualTo("sigma0.03");
  }

  @Test
  void aStraightLineFromImageToNoise() {
    Mixture m = FLOW.at(250);
    assertThat(m.shown(2, -4)).isEqualTo(0.75f * 2 - 0.25f * 4);
    assertThat(m.target(2, -4)).isEqualTo(-6);
  }

  @Test
  void modeIsDiffusers() {
    TrainingNoise noise =
        FLOW.training(
            choice(Optional.of(TimestepSampling.MODE), OptionalDouble.of(1), FlowWeighting.NONE));
    float[] u = GOLDEN.floats("uniform");
    for (int i = 0; i < u.length; i++) {
      assertThat(noise.draw(u[i], 0.3f, 64) / 1000)
          .isCloseTo(GOLDEN.floats("mode")[i], within(1e-5));
    }
  }

  @Test
  void shiftsByTheImagesSizeAsFluxDoes() {
    for (int side : new int[] {64, 128, 192}) {
      float[] expected = GOLDEN.floats("by_size." + side);
      float[] sigmas = GOLDEN.floats("sigmas");
      for (int i = 0; i < sigmas.length; i++) {
        FlowShift shift = FlowShift.BySize.FLUX;
        assertThat(shift.shifted(sigmas[i], (long) side * side))
            .isCloseTo(expected[i], within(1e-6));
      }
    }
  }

  /** Medians of the distributions, which a shift moves as it moves one half. */
  @ParameterizedTest
  @EnumSource(TimestepSampling.class)
  void drawsItsDistribution(TimestepSampling sampling) {
    TrainingNoise noise = drawn(sampling);
    Random random = new Random(5);
    int n = 20_000;
    double[] sigmas =
        random
            .ints(n)
            .mapToDouble(i -> noise.draw(random.nextFloat(), random.nextFloat(), 1024) / 1000)
            .sorted()
            .toArray();
    assertThat(sigmas[0]).isGreaterThanOrEqualTo(0);
    assertThat(sigmas[n - 1]).isLessThanOrEqualTo(1);
    double median =
        switch (sampling) {
          case SIGMOID -> 0.5;
          case FLUX_SHIFT -> new FlowShift.Constant(Math.exp(0.5)).shifted(0.5, 0); // 256 tokens
          default -> new FlowShift.Constant(3).shifted(0.5, 0);
        };
    assertThat(sigmas[n / 2]).isCloseTo(median, within(0.015));
    // A normal number is below 1 for 84.13 % of draws.
    if (sampling == TimestepSampling.SIGMOID) {
      assertThat(sigmas[(int) (n * 0.8413)]).isCloseTo(1 / (1 + Math.exp(-1)), within(0.01));
    }
  }

  @Test
  void boundsHoldADistributionTogether() {
    TrainingNoise noise =
        FLOW.training(
            new NoiseChoice(
                200,
                600,
                0,
                false,
                Optional.of(TimestepSampling.UNIFORM),
                OptionalDouble.of(1),
                FlowWeighting.NONE));
    assertThat(noise.draw(0, 0, 64)).isEqualTo(200);
    assertThat(noise.draw(0.5f, 0, 64)).isEqualTo(400);
    assertThat(noise.draw(0.999f, 0, 64)).isLessThan(600);
  }

  @Test
  void refusesWhatHasNoMeaning() {
    assertThatThrownBy(
            () ->
                FLOW.training(
                    new NoiseChoice(
                        0,
                        1000,
                        5,
                        false,
                        Optional.empty(),
                        OptionalDouble.empty(),
                        FlowWeighting.NONE)))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("min_snr_gamma")
        .hasMessageContaining("loss_weighting");
    assertThatThrownBy(
            () ->
                FLOW.training(
                    choice(
                        Optional.of(TimestepSampling.SIGMOID),
                        OptionalDouble.of(3),
                        FlowWeighting.NONE)))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("flow_shift");
  }
}

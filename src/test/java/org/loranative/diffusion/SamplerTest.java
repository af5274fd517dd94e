package org.loranative.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.loranative.testing.Errors;
import org.loranative.testing.Golden;

/** Each sampler's whole trajectory against diffusers', over a model that is a formula. */
class SamplerTest {
  private static final Golden GOLDEN = new Golden(Golden.FOLDER.resolve("samplers.safetensors"));

  private static NoiseSchedule schedule(Prediction prediction, Spacing spacing, boolean zero) {
    return NoiseSchedule.of(
        NoiseSchedule.Betas.SCALED_LINEAR,
        1000,
        0.00085,
        0.012,
        zero,
        prediction,
        Optional.of(spacing),
        1,
        false);
  }

  /** That of make_sampler_golden.py. */
  private static float[] model(float[] x, double t) {
    float[] y = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = (float) (0.6 * x[i] + 0.2 * Math.sin(x[i] + t / 100));
    }
    return y;
  }

  /** Names of goldens: sampler.prediction.spacing.steps, with ".zero" at zero terminal SNR. */
  static Stream<String> all() {
    return GOLDEN.tensors().keySet().stream()
        .filter(n -> n.matches("[a-z0-9_]+\\.(epsilon|v_prediction)\\.[a-z]+\\.[0-9]+(\\.zero)?"));
  }

  @ParameterizedTest
  @MethodSource("all")
  void walksAsDiffusersDoes(String name) {
    String[] parts = name.split("\\.");
    float[] noise = GOLDEN.floats("noise");
    float[] start = GOLDEN.floats("start");
    float[] actual =
        schedule(
                Prediction.named(parts[1]).orElseThrow(),
                Spacing.named(parts[2]).orElseThrow(),
                parts.length > 4)
            .sampler(parts[0])
            .orElseThrow()
            .sample(
                Integer.parseInt(parts[3]),
                start.length,
                start,
                SamplerTest::model,
                i -> Arrays.copyOfRange(noise, i * start.length, (i + 1) * start.length));
    // From pure noise diffusers subtracts numbers of 4096 times the result's size, in f32.
    double tolerance = parts.length > 4 ? 5e-4 : 1e-4;
    assertThat(Errors.relative(actual, GOLDEN.floats(name))).as(name).isLessThan(tolerance);
  }

  /** A schedule that is rescaled later walks as one that a config tells so. */
  @Test
  void aRescaledScheduleWalksFromPureNoise() {
    NoiseSchedule plain = schedule(Prediction.V_PREDICTION, Spacing.LEADING, false);
    float[] start = GOLDEN.floats("start");
    for (String sampler : new String[] {"ddim", "euler", "dpmpp_2m", "dpmpp_2m_karras"}) {
      float[] actual =
          plain
              .zeroTerminal("zero_snr")
              .zeroTerminal("zero_snr")
              .sampler(sampler)
              .orElseThrow()
              .sample(25, start.length, start, SamplerTest::model, i -> new float[0]);
      String golden = sampler + ".v_prediction.trailing.25.zero";
      assertThat(Errors.relative(actual, GOLDEN.floats(golden))).as(golden).isLessThan(5e-4);
    }
  }

  @Test
  void scheduleEndsInPureNoiseWhereAsked() {
    NoiseSchedule zero = schedule(Prediction.V_PREDICTION, Spacing.LEADING, true);
    assertThat(zero.alpha(999)).isEqualTo(0);
    assertThat(zero.alpha(0))
        .isCloseTo(schedule(Prediction.EPSILON, Spacing.LEADING, false).alpha(0), within(1e-12));
  }

  /**
   * The weights of min-SNR as diffusers' scripts compute them, of debiased estimation as kohya's.
   */
  @ParameterizedTest
  @CsvSource({
    "epsilon, 5, false, min_snr.epsilon",
    "v_prediction, 5, false, min_snr.v_prediction",
    "epsilon, 0, true, debiased.epsilon",
    "v_prediction, 0, true, debiased.v_prediction"
  })
  void weightsAreThoseOfThePeers(String prediction, double gamma, boolean debiased, String name) {
    SnrWeight weight = new SnrWeight(gamma, debiased);
    float[] timesteps = GOLDEN.floats("weight_timesteps");
    for (boolean zero : new boolean[] {false, true}) {
      NoiseSchedule schedule =
          schedule(Prediction.named(prediction).orElseThrow(), Spacing.LEADING, zero);
      float[] expected = GOLDEN.floats(name + (zero ? ".zero" : ""));
      for (int i = 0; i < timesteps.length; i++) {
        if (Float.isInfinite(expected[i])) {
          continue; // refused where a run would draw it
        }
        assertThat(weight.at(schedule, (int) timesteps[i]))
            .as("%s at %s", name, timesteps[i])
            .isCloseTo(expected[i], withinPercentage(0.1));
      }
    }
  }

  private static org.assertj.core.data.Offset<Double> within(double x) {
    return org.assertj.core.data.Offset.offset(x);
  }
}

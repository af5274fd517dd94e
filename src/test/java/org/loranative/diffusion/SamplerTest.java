package org.loranative.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.loranative.testing.Errors;
import org.loranative.testing.Golden;

/** Each sampler's whole trajectory against diffusers', over a model that is a formula. */
class SamplerTest {
  private static final Golden GOLDEN = new Golden(Golden.FOLDER.resolve("samplers.safetensors"));

  static NoiseSchedule schedule(boolean velocity) {
    return NoiseSchedule.of(
        NoiseSchedule.Betas.SCALED_LINEAR,
        1000,
        0.00085,
        0.012,
        false,
        velocity ? Prediction.V_PREDICTION : Prediction.EPSILON,
        Optional.of(Spacing.LEADING),
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

  static Stream<Arguments> all() {
    return Stream.of(Sampler.values())
        .flatMap(
            s ->
                Stream.of("epsilon", "v_prediction")
                    .flatMap(p -> Stream.of(1, 7, 25).map(n -> Arguments.of(s, p, n))));
  }

  @ParameterizedTest
  @MethodSource("all")
  void walksAsDiffusersDoes(Sampler sampler, String prediction, int steps) {
    float[] noise = GOLDEN.floats("noise");
    float[] start = GOLDEN.floats("start");
    float[] actual =
        sampler.sample(
            schedule(prediction.equals("v_prediction")),
            steps,
            start,
            SamplerTest::model,
            i -> Arrays.copyOfRange(noise, i * start.length, (i + 1) * start.length));
    String name = sampler.label() + "." + prediction + "." + steps;
    assertThat(Errors.relative(actual, GOLDEN.floats(name))).as(name).isLessThan(1e-4);
  }

  @Test
  void scheduleEndsInPureNoiseWhereAsked() {
    NoiseSchedule zero =
        NoiseSchedule.of(
            NoiseSchedule.Betas.SCALED_LINEAR,
            1000,
            0.00085,
            0.012,
            true,
            Prediction.V_PREDICTION,
            Optional.empty(),
            1,
            false);
    assertThat(zero.alpha(999)).isEqualTo(0);
    assertThat(zero.alpha(0)).isCloseTo(schedule(true).alpha(0), within(1e-12));
  }

  private static org.assertj.core.data.Offset<Double> within(double x) {
    return org.assertj.core.data.Offset.offset(x);
  }
}

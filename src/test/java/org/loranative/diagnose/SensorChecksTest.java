package org.loranative.diagnose;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What the doctor makes of a machine's readings, which come every few steps. */
class SensorChecksTest {
  private static Curve every20Steps(double... values) {
    return new Curve(LongStream.range(0, values.length).map(i -> i * 20).toArray(), values);
  }

  private static List<String> found(Map<String, Curve> scalars) {
    return Doctor.examine(new RunCurves(scalars, Map.of())).stream()
        .filter(f -> !f.symptom().equals(Finding.Symptom.CANNOT_TELL))
        .map(Finding::toString)
        .toList();
  }

  @Test
  void heatIsNotedSinceItBegan() {
    double[] slowed = new double[40];
    Arrays.fill(slowed, 20, 40, 1);
    slowed[3] = 1; // once, for a moment
    slowed[30] = 0;
    assertThat(
            found(
                Map.of(
                    "gpu/throttled_by_heat",
                    every20Steps(slowed),
                    "gpu/temperature_c",
                    every20Steps(70, 88, 91))))
        .singleElement()
        .asString()
        .startsWith(
            "thermal throttling (from step 400): the GPU lowers its clock for heat at 91 °C.");
    Arrays.fill(slowed, 30, 40, 0); // cool again
    assertThat(found(Map.of("cpu/throttled_by_heat", every20Steps(slowed)))).isEmpty();
  }

  @Test
  void memoryThatOthersTakeIsNoted() {
    Curve others = every20Steps(0.9, 0.9, 1.0, 3.9, 3.9);
    assertThat(found(Map.of("gpu/memory_of_others_gb", others)))
        .singleElement()
        .asString()
        .startsWith(
            "memory taken by others (from step 60): another process took 3.0 GB of the card's"
                + " memory.");
    assertThat(found(Map.of("gpu/memory_of_others_gb", every20Steps(4, 4.1, 4)))).isEmpty();
  }
}

package org.loranative.train.tuning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.Test;
import org.loranative.diagnose.Curve;
import org.loranative.diagnose.RunCurves;
import org.loranative.optim.Schedule;
import org.loranative.track.MeasuredRecords;

class RangeTestTest {
  private static final RangeTest TEST = new RangeTest(2e-4);

  /** A probe of 16 records at every fourth step. */
  private static RunCurves curves(IntToDoubleFunction loss, double noise) {
    Random random = new Random(3);
    List<MeasuredRecords> records = new ArrayList<>();
    long[] steps = new long[13];
    double[] values = new double[13];
    for (int i = 0; i < steps.length; i++) {
      steps[i] = 4 * i;
      values[i] = loss.applyAsDouble(4 * i);
      Map<String, Double> by = new LinkedHashMap<>();
      for (int r = 0; r < 16; r++) {
        by.put("r" + r, values[i] + noise * random.nextGaussian());
      }
      records.add(new MeasuredRecords(steps[i], "probe", by));
    }
    return new RunCurves(
        Map.of("Loss/probe", new Curve(steps, values)), Map.of(), List.of(), records);
  }

  @Test
  void rampsFromFarBelowToFarAbove() {
    Schedule.Curve ramp = new Schedule.Curve(Schedule.RANGE_TEST, 0.02, 0, 48, 1, 1);
    assertThat(ramp.at(1)).isCloseTo(2e-6, within(1e-12));
    assertThat(ramp.at(25)).as("in the middle").isCloseTo(2e-4, within(1e-10));
    assertThat(ramp.at(31) / ramp.at(30)).isCloseTo(ramp.at(3) / ramp.at(2), within(1e-9));
    assertThat(ramp.at(48)).isLessThan(0.02).isGreaterThan(0.016);
  }

  @Test
  void theRateBeforeTheRiseIsTheMark() {
    RangeTest.Outcome outcome = TEST.read(curves(s -> s < 36 ? 5 - 0.08 * s : 2.2 * s / 36, 0.1));
    double best = new Schedule.Curve(Schedule.RANGE_TEST, 0.02, 0, 48, 1, 1).at(36);
    assertThat(outcome.rates().get(0)).isCloseTo(best / 3, within(best / 60));
    assertThat(outcome.rates().get(1)).isCloseTo(best / 10, within(best / 200));
    assertThat(outcome.untried()).hasValue(outcome.rates().get(1));
    assertThat(outcome.words()).contains("fell from 5.000 to 2.200").contains("and rose behind it");
  }

  @Test
  void aLossThatNeverRisesIsSaidSo() {
    assertThat(TEST.read(curves(s -> 5 - 0.08 * s, 0.1)).words())
        .contains("the highest of the test");
  }

  @Test
  void whereNothingDescendsTheUsualRateIsTried() {
    RangeTest.Outcome outcome = TEST.read(curves(s -> 5 + 0.01 * s, 0.1));
    assertThat(outcome.rates()).containsExactly(2e-4, 6.7e-5);
    assertThat(outcome.untried()).as("nothing to go by").isEmpty();
    assertThat(outcome.words()).contains("no rate").contains("for sure");
    assertThat(TEST.read(curves(s -> s == 20 ? 4.99 : 5, 0.5)).words())
        .as("less than such records show")
        .contains("no rate");
  }
}

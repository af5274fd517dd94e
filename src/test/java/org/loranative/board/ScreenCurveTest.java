package org.loranative.board;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.extension.ExtendWith;
import org.loranative.testing.Seeded;
import org.loranative.track.Scalars;

/** ScreenCurve lose no outlier, and smooth as one goes along the whole curve. */
@ExtendWith(Seeded.class)
class ScreenCurveTest {
  @RepeatedTest(20)
  void holdEveryPointOfTheRange(Random random) {
    Scalars s = new Scalars();
    int n = 1 + random.nextInt(3000);
    long step = 0;
    for (int i = 0; i < n; i++) {
      step += random.nextInt(3);
      s.add(step, random.nextInt(50) == 0 ? Double.NaN : random.nextGaussian(), i);
    }
    long from = random.nextInt((int) step + 1);
    long to = from + random.nextInt((int) step + 1);
    double weight = random.nextDouble() * 0.99;
    ScreenCurve b = ScreenCurve.of(s, from, to, 1 + random.nextInt(200), weight);
    double average = 0;
    double sum = 0;
    int inside = 0;
    double lowest = Double.POSITIVE_INFINITY;
    double highest = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < n; i++) {
      double v = s.value(i);
      if (s.step(i) <= to && Double.isFinite(v)) {
        average = weight * average + (1 - weight) * v;
        sum = weight * sum + 1 - weight;
      }
      if (s.step(i) >= from && s.step(i) <= to) {
        inside++;
        lowest = Double.isFinite(v) ? Math.min(lowest, v) : lowest;
        highest = Double.isFinite(v) ? Math.max(highest, v) : highest;
      }
    }
    assertThat(b.count()).isEqualTo(inside);
    double low = Double.POSITIVE_INFINITY;
    double high = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < b.steps().length; i++) {
      low = Double.isNaN(b.low()[i]) ? low : Math.min(low, b.low()[i]);
      high = Double.isNaN(b.high()[i]) ? high : Math.max(high, b.high()[i]);
      assertThat(b.steps()[i]).isBetween(from, to);
    }
    assertThat(low).isEqualTo(lowest);
    assertThat(high).isEqualTo(highest);
    if (inside > 0 && sum > 0) {
      double last = b.smooth()[b.smooth().length - 1];
      assertThat(last).isCloseTo(average / sum, org.assertj.core.data.Offset.offset(1e-9));
    }
  }
}

package org.loranative.board.curves;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.loranative.testing.Seeded;
import org.loranative.track.Scalars;

/**
 * Buckets lose no outlier, smooth over steps, end where there is no number, and grow at the end.
 */
@ExtendWith(Seeded.class)
class ScreenCurveTest {
  private static ScreenCurve all(Scalars s, int most, double weight, int level, int have) {
    return ScreenCurve.of(
        s, s::step, new ScreenCurve.Window(-1e18, 1e18, most, weight, level, have));
  }

  @RepeatedTest(20)
  void holdEveryPointOfTheRange(Random random) {
    Scalars s = new Scalars();
    int n = 2 + random.nextInt(3000);
    long step = 0;
    for (int i = 0; i < n; i++) {
      step += 1 + random.nextInt(3);
      s.add(step, random.nextInt(50) == 0 ? Double.NaN : random.nextGaussian(), i);
    }
    long from = random.nextInt((int) step + 1);
    long to = from + random.nextInt((int) step + 1);
    double weight = random.nextDouble() * 0.99;
    ScreenCurve.Window window =
        new ScreenCurve.Window(from, to, 2 + random.nextInt(200), weight, -1, 0);
    ScreenCurve b = ScreenCurve.of(s, s::step, window);
    double lowest = Double.POSITIVE_INFINITY;
    double highest = Double.NEGATIVE_INFINITY;
    int inside = 0;
    double up = 0; // the average as a sum over all points, not as a recursion
    double down = 0;
    long last = 0;
    for (int i = 0; i < n; i++) {
      last = s.step(i) <= to && Double.isFinite(s.value(i)) ? s.step(i) : last;
    }
    double distance = ScreenCurve.distance(s);
    long previous = Long.MIN_VALUE;
    for (int i = 0; i < n; i++) {
      double v = s.value(i);
      if (s.step(i) <= to && Double.isFinite(v)) {
        double own =
            previous == Long.MIN_VALUE
                ? 1 - weight
                : 1 - Math.pow(weight, (s.step(i) - previous) / distance);
        double kept = Math.pow(weight, (last - s.step(i)) / distance);
        up += own * kept * v;
        down += own * kept;
        previous = s.step(i);
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
    double smooth = Double.NaN;
    for (int i = 0; i < b.x().length; i++) {
      low = Double.isNaN(b.low()[i]) ? low : Math.min(low, b.low()[i]);
      high = Double.isNaN(b.high()[i]) ? high : Math.max(high, b.high()[i]);
      smooth = Double.isNaN(b.smooth()[i]) ? smooth : b.smooth()[i];
      assertThat(b.x()[i]).isBetween((double) from, (double) to);
      assertThat(Double.isNaN(b.smooth()[i])).isEqualTo(Double.isNaN(b.low()[i]));
    }
    assertThat(low).isEqualTo(lowest);
    assertThat(high).isEqualTo(highest);
    if (!Double.isNaN(smooth)) {
      assertThat(smooth).isCloseTo(up / down, Offset.offset(1e-6));
    }
  }

  @RepeatedTest(10)
  void whatIsAskedAnewFollowsWhatIsThere(Random random) {
    Scalars s = new Scalars();
    int n = 50 + random.nextInt(2000);
    for (int i = 0; i < n; i++) {
      s.add(i + 1, random.nextGaussian(), i);
    }
    ScreenCurve before = all(s, 100, 0.9, -1, 0);
    for (int i = 0; i < 5; i++) {
      s.add(n + i + 1, random.nextGaussian(), n + i);
    }
    int have = before.x().length - 1;
    ScreenCurve news = all(s, 100, 0.9, before.level(), have);
    ScreenCurve whole = all(s, 100, 0.9, -1, 0);
    int skipped = news.first();
    assertThat(skipped).isEqualTo(whole.level() == before.level() ? have : 0);
    for (int i = 0; i < skipped; i++) {
      assertThat(whole.smooth()[i]).isEqualTo(before.smooth()[i]);
      assertThat(whole.low()[i]).isEqualTo(before.low()[i]);
    }
    assertThat(skipped + news.x().length).isEqualTo(whole.x().length);
    assertThat(news.x()[news.x().length - 1]).isEqualTo(n + 5);
  }

  @Test
  void noPlateauFollowsTheLastNumber() {
    Scalars s = new Scalars();
    for (int i = 1; i <= 30; i++) {
      s.add(i, i <= 10 ? 2.0 : Double.NaN, i);
    }
    ScreenCurve c = all(s, 100, 0.9, -1, 0);
    assertThat(c.smooth()[9]).isEqualTo(2.0, Offset.offset(1e-9));
    assertThat(c.smooth()[10]).isNaN();
    assertThat(c.broken()).hasSize(20).contains(11);
  }
}

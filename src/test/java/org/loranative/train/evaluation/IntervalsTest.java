package org.loranative.train.evaluation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Intervals against numbers of scipy and of the papers. */
class IntervalsTest {
  private static final Offset<Double> CLOSE = Offset.offset(1e-9);

  private static void check(Estimate actual, double value, double low, double high) {
    assertThat(actual.value()).isCloseTo(value, CLOSE);
    assertThat(actual.low()).isCloseTo(low, CLOSE);
    assertThat(actual.high()).isCloseTo(high, CLOSE);
  }

  /** scipy.stats.t.interval with scipy.stats.sem. */
  @Test
  void meanHasStudentsInterval() {
    check(
        Means.of(new double[] {0.31, -0.12, 0.55, 0.08, 0.27, -0.4, 0.9}),
        0.22714285714285712,
        -0.16905809251065781,
        0.623343806796372);
  }

  /** numpy, from the residuals; the jackknife's error is 3 % larger. */
  @Test
  void ratioCountsRecordsNotTokens() {
    check(
        Means.ratio(
            new double[] {12.5, 3.1, 44.0, 8.25, 19.75, 0.6}, new double[] {5, 2, 21, 3, 9, 1}),
        2.1512195121951216,
        1.9167600045805153,
        2.3856790198097277);
  }

  /** Ends of numpy's bootstrap over records, 200,000 draws. */
  @Test
  void ratioIsAsTheBootstrapHasIt() {
    double[] sums = new double[200];
    double[] sizes = new double[200];
    Arrays.setAll(sums, i -> ((i + 1) * 37 % 101) / 10.0 + (i + 1) % 7);
    Arrays.setAll(sizes, i -> 1 + (i + 1) * 53 % 29);
    Estimate ratio = Means.ratio(sums, sizes);
    check(ratio, 0.5291047241493229, 0.4762601828396264, 0.5819492654590193);
    assertThat(ratio.low()).isCloseTo(0.47982977, Offset.offset(0.005));
    assertThat(ratio.high()).isCloseTo(0.58454081, Offset.offset(0.005));
  }

  @Test
  void oneRecordHasNoInterval() {
    Estimate one = Means.of(new double[] {3});
    assertThat(one.value()).isEqualTo(3);
    assertThat(one.isNotZero()).isFalse();
    assertThat(Unit.NATS.show(one)).isEqualTo("3.0000 nats");
  }

  /** scipy.stats.binomtest(…).proportion_ci(method="wilson"). */
  @ParameterizedTest
  @CsvSource({
    "0,16,0,0.1936076805344365",
    "5,10,0.236593090512564,0.7634069094874361",
    "80,100,0.711170834406841,0.8666330666689674",
    "160,160,0.9765538048284947,1"
  })
  void shareHasWilsonsInterval(int right, int records, double low, double high) {
    check(Proportions.of(right, records), (double) right / records, low, high);
  }

  /**
   * The first two are Newcombe's own (1998, table III: 0.0569 to 0.3404), the others numpy's and
   * scipy.stats.binomtest's; signs are those of second less first.
   */
  @ParameterizedTest
  @CsvSource({
    "36,12,2,0,-0.3404276029749408,-0.05692958400323875,0.012939453125",
    "36,2,12,0,0.05692958400323875,0.3404276029749408,0.012939453125",
    "43,0,7,0,0.03970266783477466,0.26186193710585537,0.015625",
    "20,5,15,60,0.01196335144032555,0.18655669703116942,0.04138946533203125",
    "1,2,9,3,0.05419241112293821,0.7242979419351951,0.0654296875",
    "0,4,6,0,-0.3746524605326834,0.6636393405875278,0.75390625",
    "10,0,0,6,-0.1201799729822842,0.1201799729822842,1"
  })
  void pairedSharesHaveNewcombesInterval(
      int both, int lost, int won, int neither, double low, double high, double p) {
    Proportions.Pairs pairs = new Proportions.Pairs(both, lost, won, neither);
    check(pairs.difference(), (won - lost) / (double) pairs.records(), low, high);
    assertThat(pairs.p()).isCloseTo(p, CLOSE);
    assertThat(pairs.isSure()).isEqualTo(p < 0.05);
  }

  @Test
  void pairsAreCounted() {
    boolean[] first = {true, true, true, false, false, false, false};
    boolean[] second = {true, false, false, true, true, true, false};
    assertThat(Proportions.Pairs.of(first, second)).isEqualTo(new Proportions.Pairs(1, 2, 3, 1));
  }

  /** Three of ten that changed need six that do, hence twice as many records, about. */
  @Test
  void saysHowManyRecordsWouldTell() {
    assertThat(new Proportions.Pairs(5, 0, 3, 2).needed()).isBetween(18.0, 22.0);
    assertThat(new Proportions.Pairs(5, 3, 3, 2).needed()).isInfinite();
    // Student's interval narrows with the root of the number of records.
    assertThat(new Estimate(0.5, -0.5, 1.5).needed(20)).isEqualTo(80);
  }

  @Test
  void fewRecordsTellNothing() {
    Estimate fell = new Estimate(-1, -1.5, -0.5);
    assertThat(Verdict.of(fell, true, 4, true)).isEqualTo(Verdict.CANNOT_BE_TOLD);
    assertThat(Verdict.of(fell, true, 5, true)).isEqualTo(Verdict.BETTER);
    assertThat(Verdict.of(fell, false, 5, true)).isEqualTo(Verdict.WORSE);
    assertThat(Verdict.of(fell, false, 5, false)).isEqualTo(Verdict.CANNOT_BE_TOLD);
    assertThat(Verdict.of(new Estimate(-1, -2, 0.1), true, 50, true))
        .isEqualTo(Verdict.CANNOT_BE_TOLD);
  }
}

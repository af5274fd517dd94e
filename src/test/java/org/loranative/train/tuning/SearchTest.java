package org.loranative.train.tuning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.loranative.config.ConfigReader;
import org.loranative.diagnose.Curve;
import org.loranative.track.MeasuredRecords;

/** Who wins, and what is said of it, on losses drawn for 40 held-out records. */
class SearchTest {
  private static final int RECORDS = 40;
  private static final int WHOLE = 160;

  private final Map<Candidate, TrialCurves> measured = new HashMap<>();

  /**
   * A run that was measured at some steps.
   *
   * @param own how much records differ between runs
   */
  private Candidate run(int rank, int steps, double own, Map<Integer, Double> losses) {
    return run(new Candidate(1e-3, rank, rank, steps), own, losses);
  }

  private Candidate run(Candidate c, double own, Map<Integer, Double> losses) {
    Curve curve =
        new Curve(
            losses.keySet().stream().mapToLong(i -> i).toArray(),
            losses.values().stream().mapToDouble(d -> d).toArray());
    Random hard = new Random(1);
    Random noise = new Random(c.rank());
    double[] level = hard.doubles(RECORDS, -1, 1).toArray();
    List<MeasuredRecords> records =
        losses.entrySet().stream()
            .map(
                e -> {
                  Map<String, Double> by = new LinkedHashMap<>();
                  for (int i = 0; i < RECORDS; i++) {
                    by.put("r" + i, e.getValue() + level[i] + own * noise.nextGaussian());
                  }
                  return new MeasuredRecords(e.getKey(), "val", by);
                })
            .toList();
    measured.put(c, new TrialCurves(curve, records, c.steps()));
    return c;
  }

  private static Map<Integer, Double> losses(double... at) {
    Map<Integer, Double> losses = new LinkedHashMap<>();
    for (int i = 0; i < at.length; i++) {
      losses.put(i * WHOLE / (at.length - 1), at[i]);
    }
    return losses;
  }

  private List<String> said(Search search) {
    return new Report(search, search.best(), WHOLE, measured).sentences();
  }

  private String length(Search search) {
    return said(search).get(2);
  }

  @Test
  void theBestIsNamedWithItsInterval() {
    Candidate good = run(8, WHOLE, 0.01, losses(5, 3, 2.5, 2.2, 2.1));
    Candidate bad = run(2, WHOLE, 0.01, losses(5, 4, 3, 2.5, 2.4));
    Search search = new Search(List.of(bad, good), measured);
    search.rank(WHOLE);
    assertThat(search.ended(true).best()).isEqualTo(good);
    assertThat(said(search).get(0))
        .isEqualTo(
            "Best: rate 0.001, rank 8, alpha 8: validation loss 2.1000 after step 160, 5.0000"
                + " before training.");
    assertThat(said(search).get(1))
        .contains("against the next one (rate 0.001, rank 2, alpha 2) it is 13 % better record by")
        .contains(
            "on 40 held-out records. It has the largest rank of those tried, and nothing beyond")
        .endsWith("All have the same seed; another may order close ones differently.");
    assertThat(search.lines().get(0)).contains("2.1000: rate 0.001, rank 8");
  }

  @Test
  void ofTwoThatCannotBeToldApartTheSmallerRankIsTaken() {
    Candidate large = run(32, WHOLE, 0.5, losses(5, 3, 2.5, 2.2, 2.10));
    Candidate small = run(4, WHOLE, 0.5, losses(5, 3, 2.5, 2.2, 2.11));
    Search search = new Search(List.of(large, small), measured);
    search.rank(WHOLE);
    assertThat(search.ended(true).best()).isEqualTo(small);
    assertThat(said(search).get(1))
        .contains("these two cannot be told apart, so the smaller rank is taken; some ");
  }

  @Test
  void whoIsLeftOutByLessThanRecordsShowIsCounted() {
    Candidate a = run(1, WHOLE, 0.5, losses(5, 2.0));
    Candidate b = run(2, WHOLE, 0.5, losses(5, 2.01));
    Candidate close = run(3, WHOLE, 0.5, losses(5, 2.02));
    Candidate far = run(4, WHOLE, 0.5, losses(5, 4));
    Candidate diverged = new Candidate(9, 5, 5, WHOLE);
    measured.put(diverged, TrialCurves.NOTHING);
    Search search = new Search(List.of(diverged, far, close, b, a), measured);
    search.rank(WHOLE);
    assertThat(search.alive()).containsExactly(a, b, close, far, diverged);
    assertThat(search.lines().get(4)).contains("diverged").contains("rate 9");
    search.keep(2);
    assertThat(search.alive()).containsExactly(a, b);
    assertThat(said(search.ended(true)).get(1))
        .contains("3 were left out on the way, 1 of them by less than so many records show.")
        .contains("It has the lowest rate of those tried"); // one far above diverged
  }

  @Test
  void aSearchThatTimeEndedSaysSo() {
    Candidate a = run(1, WHOLE, 0.01, losses(5, 3, 2));
    Candidate b = run(2, WHOLE, 0.01, losses(5, 4, 3));
    Search search = new Search(List.of(a, b), measured);
    assertThat(search.isRanked()).isFalse();
    search.rank(80);
    assertThat(search.isRanked()).isTrue();
    assertThat(said(search.ended(false)).get(1))
        .contains("The time was over after step 80 of 160: which is best at the end is not known");
    assertThat(length(search)).isEqualTo("Length: not judged.");
  }

  @Test
  void theLengthIsJudgedByTheBestRun() {
    Candidate over = run(1, WHOLE, 0.01, losses(5, 3, 2, 2.2, 2.5));
    Search search = new Search(List.of(over), measured);
    search.rank(WHOLE);
    assertThat(length(search.ended(true))).contains("lowest after step 80 and is higher for sure");
    Map<String, TunedYaml.Found> found =
        new Report(search, over, WHOLE, measured)
            .settings(ConfigReader.read(Optional.empty(), List.of("epochs=4")));
    assertThat(found.get("epochs").value()).as("half of four").isEqualTo("2");
    found =
        new Report(search, over, WHOLE, measured)
            .settings(ConfigReader.read(Optional.empty(), List.of("epochs=1")));
    assertThat(found.get("max_steps").value()).isEqualTo("80");

    measured.clear();
    Candidate falls = run(1, WHOLE, 0.01, losses(5, 4, 3, 2, 1));
    search = new Search(List.of(falls), measured);
    search.rank(WHOLE);
    assertThat(length(search.ended(true))).contains("more epochs may lower it further");

    measured.clear();
    Candidate settled = run(1, WHOLE, 0.5, losses(5, 3, 2, 2.001, 2));
    search = new Search(List.of(settled), measured);
    search.rank(WHOLE);
    assertThat(length(search.ended(true))).contains("160 steps are enough");
  }

  @Test
  void shortRunsAreNamedAsSuch() {
    Candidate a = run(1, WHOLE, 0.01, losses(5, 3, 2));
    Search search = new Search(List.of(a), measured);
    search.rank(WHOLE);
    Report report = new Report(search.ended(true), a, 10 * WHOLE, measured);
    assertThat(report.sentences().get(2)).contains("The runs had 160 of 1600 steps");
    assertThat(report.settings(ConfigReader.read(Optional.empty(), List.of())))
        .doesNotContainKeys("epochs", "max_steps");
  }

  /** One that overfits is worth what it is where it is to end. */
  @Test
  void finalistsAreComparedWhereTheyAreToEnd() {
    Candidate fast = run(8, WHOLE, 0.01, losses(5, 2.2, 2.0, 2.4, 3.0));
    Candidate slow = run(4, WHOLE, 0.01, losses(5, 4, 3.2, 2.8, 2.5));
    Search search = new Search(List.of(slow, fast), measured);
    search.rank(WHOLE);
    assertThat(search.ended(true).best()).isEqualTo(fast);
    assertThat(search.lines().get(0))
        .isEqualTo(
            "  validation loss 2.0000: rate 0.001, rank 8, alpha 8 (after step 80, higher since)");
    assertThat(said(search).get(0)).contains("validation loss 2.0000 after step 80");
    assertThat(said(search).get(1)).contains("(rate 0.001, rank 4, alpha 4) it is 21 % better");
    assertThat(length(search)).contains("lowest after step 80");
    search.rank(40);
    assertThat(search.lines().get(0)).as("what comes later is not known yet").contains("2.2000");
  }

  @Test
  void aDipThatRecordsDoNotShowIsNoEnd() {
    Candidate dips = run(8, WHOLE, 0.5, losses(5, 2.2, 2.09, 2.1, 2.1));
    Search search = new Search(List.of(dips), measured);
    search.rank(WHOLE);
    assertThat(search.endOf(dips)).isEqualTo(WHOLE);
  }

  @Test
  void beyondTheEndOfTheRatesMoreIsTried() {
    Candidate low = run(new Candidate(1e-3, 8, 8, WHOLE), 0.01, losses(5, 3));
    Candidate high = run(new Candidate(3e-3, 8, 8, WHOLE), 0.01, losses(5, 2));
    Search search = new Search(List.of(low, high), measured);
    search.rank(WHOLE);
    Candidate next = search.ended(true).beyond(3).orElseThrow();
    assertThat(next).isEqualTo(new Candidate(9e-3, 8, 8, WHOLE));
    search.add(run(next, 0.01, losses(5, 1.5)));
    assertThat(search.best()).isEqualTo(next);
    Candidate further = search.beyond(3).orElseThrow();
    assertThat(further.rate()).isEqualTo(0.027);
    search.add(run(further, 0.01, losses(5, 1.8)));
    assertThat(search.best()).isEqualTo(next);
    assertThat(search.beyond(3)).as("lower and higher ones were tried").isEmpty();
    assertThat(said(search).get(1)).doesNotContain("of those tried");
  }

  @Test
  void belowTheLowestRateTooAndADivergedOneEndsIt() {
    Candidate low = run(new Candidate(1e-3, 8, 8, WHOLE), 0.01, losses(5, 2));
    Candidate high = run(new Candidate(3e-3, 8, 8, WHOLE), 0.01, losses(5, 3));
    Search search = new Search(List.of(low, high), measured);
    search.rank(WHOLE);
    assertThat(said(search.ended(true)).get(1)).contains("It has the lowest rate of those tried");
    Candidate next = search.beyond(3).orElseThrow();
    assertThat(next.rate()).isEqualTo(0.00033);
    measured.put(next, TrialCurves.NOTHING);
    search.add(next);
    assertThat(search.best()).isEqualTo(low);
    assertThat(search.beyond(3)).isEmpty();
    Search one = new Search(List.of(low), measured);
    one.rank(WHOLE);
    assertThat(one.beyond(3)).as("an optimizer that finds its rate").isEmpty();
  }

  /** Ever lower rates end at no training at all. */
  @Test
  void whereNothingHelpsThatIsSaidAndNoFurtherRateIsTried() {
    Candidate low = run(new Candidate(1e-5, 8, 8, WHOLE), 0.1, losses(2.4, 2.4));
    Candidate high = run(new Candidate(3e-3, 8, 8, WHOLE), 0.1, losses(2.4, 2.7));
    Search search = new Search(List.of(low, high), measured);
    search.rank(WHOLE);
    assertThat(search.ended(true).best()).isEqualTo(low);
    assertThat(search.beyond(3)).isEmpty();
    assertThat(said(search).get(1))
        .startsWith("That is not lower for sure than before training: as far as these held-out");
  }

  @Test
  void allDiverged() {
    Candidate a = new Candidate(9, 5, 5, WHOLE);
    measured.put(a, TrialCurves.NOTHING);
    Search search = new Search(List.of(a), measured);
    search.rank(10);
    assertThatThrownBy(search::best).hasMessageContaining("Every candidate diverged");
  }
}

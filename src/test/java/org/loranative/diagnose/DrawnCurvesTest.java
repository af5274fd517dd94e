package org.loranative.diagnose;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Drawn curves with such noise as real ones have, many of each kind, always the same: at most one
 * false alarm in a hundred healthy ones and one miss in ten faulty ones.
 */
class DrawnCurvesTest {
  private static final int MANY = 12;
  private static final int SOME = 2;
  private static final int VISITS = 40;

  private record Outcome(List<String> alarms, List<String> misses, int healthy, int faulty) {
    void isGood() {
      assertThat(alarms).hasSizeLessThanOrEqualTo(healthy / 100);
      assertThat(misses).hasSizeLessThanOrEqualTo(faulty / 10);
    }
  }

  /** Whether what was said of a run, at its end or on the way, was right. */
  private interface Judge {
    List<Finding> wrong(Drawn kind, RunCurves run);
  }

  private static Outcome judge(List<Drawn> kinds, int many, long seed, Judge judge) {
    List<String> alarms = new ArrayList<>();
    List<String> misses = new ArrayList<>();
    for (Drawn kind : kinds) {
      for (int i = 0; i < many; i++) {
        RunCurves run = kind.draw().apply(new Random(seed + 7919L * i));
        List<Finding> wrong = judge.wrong(kind, run);
        if (!wrong.isEmpty()) {
          (kind.isHealthy() ? alarms : misses).add(kind.name() + " " + i + ": " + wrong);
        }
      }
    }
    int healthy = (int) kinds.stream().filter(Drawn::isHealthy).count() * many;
    return new Outcome(alarms, misses, healthy, kinds.size() * many - healthy);
  }

  private static List<Finding> atTheEnd(Drawn kind, RunCurves run) {
    List<Finding> findings = Doctor.examine(run);
    return kind.isMetBy(findings) ? List.of() : findings;
  }

  /** A healthy run must raise no alarm at any visit, a faulty one the right one at some. */
  private static List<Finding> onTheWay(Drawn kind, RunCurves run) {
    long last = run.loss().lastStep();
    List<Finding> findings = List.of();
    for (int visit = 1; visit <= VISITS; visit++) {
      findings = Doctor.examine(Labelled.until(run, last * visit / VISITS));
      if (kind.isMetBy(findings) != kind.isHealthy()) {
        return kind.isHealthy() ? findings : List.of();
      }
    }
    return kind.isHealthy() ? List.of() : findings;
  }

  @Test
  void thereAreKindsEnough() {
    assertThat(Drawn.tuned().stream().filter(Drawn::isHealthy)).hasSizeGreaterThanOrEqualTo(20);
    assertThat(Drawn.tuned().stream().filter(d -> !d.isHealthy())).hasSizeGreaterThanOrEqualTo(12);
  }

  @Test
  void isRightAtTheEnd() {
    judge(Drawn.tuned(), MANY, 1, DrawnCurvesTest::atTheEnd).isGood();
  }

  @Test
  void isRightOnTheWay() {
    judge(Drawn.tuned(), SOME, 77, DrawnCurvesTest::onTheWay).isGood();
  }

  /** Shapes that were drawn afterwards; more of them were, once, for docs/doctor.md. */
  @Tag("slow")
  @Test
  void isRightOnOtherShapes() {
    List<Drawn> kinds = new ArrayList<>(Unseen.all());
    kinds.addAll(Fresh.all());
    judge(kinds, MANY, 20261128, DrawnCurvesTest::atTheEnd).isGood();
    judge(kinds, SOME, 40417, DrawnCurvesTest::onTheWay).isGood();
  }
}

package org.loranative.diagnose;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.loranative.testing.Seeded;

/** The doctor on recorded runs of which it is known what was done to them, and on drawn curves. */
@ExtendWith(Seeded.class)
class DoctorTest {
  private static final Path PAGE = Path.of("docs/doctor.md");

  /**
   * Runs that show nothing: by chance the probe's images suit the captions that they were given.
   */
  private static final Set<String> MISSED = Set.of("sd-shuffled-6");

  static Stream<Labelled> recorded() {
    return Labelled.recorded().stream();
  }

  @ParameterizedTest
  @MethodSource("recorded")
  void seesWhatWasDoneToARecordedRun(Labelled run) {
    List<Finding> findings = Doctor.examine(run.curves());
    assertThat(run.isMetBy(findings))
        .as(run.name() + ": " + findings)
        .isEqualTo(!MISSED.contains(run.name()));
    assertThat(findings).allSatisfy(f -> assertThat(f.advice()).isNotBlank());
  }

  /** Two runs of the same data; the larger rank's directions are far from alike. */
  @Test
  void seesTheRankThatIsUsedUp() {
    assertThat(symptoms("toy-rank-4")).contains(Finding.Symptom.RANK_FULL);
    assertThat(symptoms("toy-rank-16"))
        .doesNotContain(Finding.Symptom.RANK_FULL, Finding.Symptom.RANK_LARGE);
  }

  private static List<Finding.Symptom> symptoms(String name) {
    Labelled run = recorded().filter(r -> r.name().equals(name)).findFirst().orElseThrow();
    return Doctor.examine(run.curves()).stream().map(Finding::symptom).toList();
  }

  static Stream<Labelled> healthy() {
    return recorded().filter(r -> r.label().equals("healthy"));
  }

  /** A live run is examined again and again: no healthy one may give a false alarm on the way. */
  @ParameterizedTest
  @MethodSource("healthy")
  void raisesNoFalseAlarmOnTheWay(Labelled run) {
    for (int steps = 5; steps <= run.curves().loss().size(); steps += 5) {
      Labelled soFar = run.until(steps);
      List<Finding> findings = Doctor.examine(soFar.curves());
      assertThat(soFar.isMetBy(findings)).as(steps + " steps: " + findings).isTrue();
    }
  }

  /** The page's table is what the doctor says now. */
  @Test
  void thePageShowsTheConfusionMatrix() throws IOException {
    assertThat(Files.readString(PAGE)).contains(matrix());
  }

  /** Recorded runs by their label and by the worst that was found. */
  private static String matrix() {
    Map<String, Map<Finding.Symptom, Integer>> counts = new LinkedHashMap<>();
    TreeSet<Finding.Symptom> symptoms = new TreeSet<>();
    for (Labelled run : Labelled.recorded()) {
      Finding.Symptom verdict = Finding.verdict(Doctor.examine(run.curves()));
      symptoms.add(verdict);
      counts
          .computeIfAbsent(run.label(), l -> new LinkedHashMap<>())
          .merge(verdict, 1, Integer::sum);
    }
    StringBuilder text = new StringBuilder("| what was done \\ verdict |");
    symptoms.forEach(k -> text.append(' ').append(k.title).append(" |"));
    text.append("\n|---|").append("--:|".repeat(symptoms.size())).append('\n');
    new java.util.TreeMap<>(counts)
        .forEach(
            (label, row) -> {
              text.append("| ").append(label.replace('_', ' ')).append(" |");
              symptoms.forEach(
                  k -> text.append(' ').append(row.containsKey(k) ? row.get(k) : "").append(" |"));
              text.append('\n');
            });
    return text.toString();
  }

  @Test
  void worksAtAnyLengthAndOnOddCurves(Random random) {
    for (int i = 0; i < 200; i++) {
      int n = random.nextInt(60);
      long[] steps = new long[n];
      double[] values = new double[n];
      for (int k = 0; k < n; k++) {
        steps[k] = k + (long) random.nextInt(2);
        values[k] =
            switch (random.nextInt(6)) {
              case 0 -> 0;
              case 1 -> Double.NaN;
              case 2 -> -random.nextDouble();
              case 3 -> 1e30;
              default -> random.nextDouble();
            };
      }
      Curve curve = new Curve(steps, values);
      Map<String, Curve> scalars = new LinkedHashMap<>();
      for (String tag :
          List.of(
              "Loss/train",
              "Loss/val",
              "Loss/probe",
              "lr",
              "grad_norm",
              "perf/x_per_s",
              "adapter/dead_layers")) {
        if (random.nextInt(3) > 0) {
          scalars.put(tag, curve);
        }
      }
      assertThat(Doctor.examine(new RunCurves(scalars, Map.of()))).isNotEmpty();
    }
  }
}

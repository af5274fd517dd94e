package org.loranative.diagnose;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
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

  static Stream<Labelled> recorded() {
    return Labelled.recorded().stream();
  }

  @ParameterizedTest
  @MethodSource("recorded")
  void seesWhatWasDoneToARecordedRun(Labelled run) {
    List<Finding> findings = Doctor.examine(run.curves());
    assertThat(run.isMetBy(findings)).as(run.name() + ": " + findings).isTrue();
    assertThat(findings).allSatisfy(f -> assertThat(f.advice()).isNotBlank());
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

  static Stream<String> labels() {
    return Synthetic.LABELS.stream();
  }

  @ParameterizedTest
  @MethodSource("labels")
  void seesWhatIsWrongWithADrawnCurve(String label, Random random) {
    List<String> missed = new ArrayList<>();
    int tries = 0;
    for (int i = 0; i < 60; i++) {
      boolean diffusion = i % 2 == 0;
      if (label.equals("no_descent") && diffusion) {
        continue; // language models only
      }
      tries++;
      Labelled run = Synthetic.draw(label, diffusion, random);
      List<Finding> findings = Doctor.examine(run.curves());
      if (!run.isMetBy(findings)) {
        missed.add(run.name() + ": " + findings);
      }
    }
    // Noise may hide a trouble now and then (up to 3 % were missed of 1500 curves each) and hardly
    // ever makes one up (1 of 3000): limits that chance does not reach.
    assertThat(missed).hasSizeLessThanOrEqualTo(label.equals("healthy") ? 1 : tries / 6);
  }

  /** The page's table is what the doctor says now. */
  @Test
  void thePageShowsTheConfusionMatrix() throws IOException {
    assertThat(Files.readString(PAGE)).contains(matrix());
  }

  /** Recorded runs by their label and by the worst that was found. */
  private static String matrix() {
    Map<String, Map<Finding.Kind, Integer>> counts = new LinkedHashMap<>();
    TreeSet<Finding.Kind> kinds = new TreeSet<>();
    for (Labelled run : Labelled.recorded()) {
      Finding.Kind verdict = Finding.verdict(Doctor.examine(run.curves()));
      kinds.add(verdict);
      counts
          .computeIfAbsent(run.label(), l -> new LinkedHashMap<>())
          .merge(verdict, 1, Integer::sum);
    }
    StringBuilder text = new StringBuilder("| what was done \\ verdict |");
    kinds.forEach(k -> text.append(' ').append(k.title).append(" |"));
    text.append("\n|---|").append("--:|".repeat(kinds.size())).append('\n');
    new java.util.TreeMap<>(counts)
        .forEach(
            (label, row) -> {
              text.append("| ").append(label.replace('_', ' ')).append(" |");
              kinds.forEach(
                  k -> text.append(' ').append(row.containsKey(k) ? row.get(k) : "").append(" |"));
              text.append('\n');
            });
    return text.toString();
  }

  /** A diffusion loss without a probe: no descent is read into its noise. */
  @Test
  void readsNothingIntoNoise(Random random) {
    int silent = 0;
    for (int i = 0; i < 100; i++) {
      int n = 30 + random.nextInt(100);
      long[] steps = new long[n];
      double[] values = new double[n];
      for (int k = 0; k < n; k++) {
        steps[k] = k + 1;
        values[k] = 0.1 + 0.03 * random.nextGaussian();
      }
      RunCurves run = new RunCurves(Map.of("loss/current", new Curve(steps, values)), Map.of());
      List<Finding> findings = Doctor.examine(run);
      silent += findings.get(0).kind() == Finding.Kind.TOO_SHORT ? 1 : 0;
    }
    assertThat(silent).isGreaterThanOrEqualTo(90);
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

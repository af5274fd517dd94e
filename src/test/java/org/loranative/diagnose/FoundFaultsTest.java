package org.loranative.diagnose;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What the doctor once said wrong of real runs. */
class FoundFaultsTest {
  private static Curve every(int steps, double... values) {
    return new Curve(
        LongStream.rangeClosed(1, values.length).map(i -> i * steps).toArray(), values);
  }

  private static Curve falling(int n, double from, double to) {
    Random r = new Random(3);
    double[] v = new double[n];
    for (int i = 0; i < n; i++) {
      v[i] = (to + (from - to) * Math.exp(-6.0 * i / n)) * (1 + 0.05 * r.nextGaussian());
    }
    return every(1, v);
  }

  private static Finding worst(Map<String, Curve> curves, Map<String, String> settings) {
    return Doctor.examine(new RunCurves(curves, settings)).get(0);
  }

  @Test
  void threeEpochsWithOneEvaluationEachMayBeOverfitting() {
    Finding found =
        worst(
            Map.of("train/loss", falling(300, 2, 0.8), "eval/loss", every(100, 1.15, 1.12, 1.32)),
            Map.of());
    assertThat(found.symptom()).isEqualTo(Finding.Symptom.OVERFITTING);
    assertThat(found.evidence()).contains("1.12").contains("1.32").contains("17.9 %");
    // While it goes on, one measurement is not enough.
    Finding live =
        worst(
            Map.of("Loss/train", falling(300, 2, 0.8), "Loss/val", every(100, 1.15, 1.12, 1.32)),
            Map.of("total_steps", "600", "task_type", "llm"));
    assertThat(live.symptom()).isEqualTo(Finding.Symptom.CANNOT_TELL);
    assertThat(live.advice()).contains("The next one tells");
  }

  @Test
  void aRunWhoseValidationFallsOnDoesNotStop() {
    double[] validation = {2.6, 2.35, 2.3, 2.27, 2.24, 2.21, 2.18, 2.15, 2.11, 2.08, 2.05, 2.02};
    Finding found =
        worst(
            Map.of("Loss/train", falling(600, 3, 2), "Loss/val", every(50, validation)),
            Map.of("task_type", "llm", "total_steps", "600"));
    assertThat(found.symptom()).isEqualTo(Finding.Symptom.DESCENT);
    assertThat(found.advice()).doesNotContain("stop at");
  }

  @Test
  void whatFallsByAThirdIsNotFlat() {
    Random r = new Random(5);
    double[] v = new double[120];
    for (int i = 0; i < v.length; i++) {
      v[i] = (i < 60 ? 4.685 : 3.274) * (1 + 0.35 * r.nextGaussian());
    }
    assertThat(
            Doctor.examine(
                new RunCurves(Map.of("Loss/train", every(1, v)), Map.of("task_type", "llm"))))
        .noneMatch(f -> f.symptom() == Finding.Symptom.FLAT);
  }

  @Test
  void lossesOfZeroAreNoVanishingUpdates() {
    Finding found =
        worst(
            Map.of(
                "train/loss",
                every(10, new double[40]),
                "train/grad_norm",
                every(10, new double[40])),
            Map.of());
    assertThat(found.symptom()).isEqualTo(Finding.Symptom.NO_LABELS);
    assertThat(found.advice()).contains("answers are empty");
  }

  @Test
  void fewMeansOfManyStepsAreJudgedByWhatTheyShow() {
    double[] falls = {2.31, 1.92, 1.71, 1.64, 1.59, 1.55, 1.52, 1.50, 1.47};
    assertThat(worst(Map.of("train/loss", every(500, falls)), Map.of()).symptom())
        .isIn(Finding.Symptom.DESCENT, Finding.Symptom.PLATEAU);
    double[] climbs = {2.31, 1.92, 1.71, 1.64, 1.6, 1.7, 2.4, 3.1, 3.9, 4.4, 4.6, 4.9};
    assertThat(worst(Map.of("train/loss", every(500, climbs)), Map.of()).symptom())
        .isIn(Finding.Symptom.CLIMB, Finding.Symptom.UNSTABLE);
    assertThat(worst(Map.of("train/loss", every(500, 2.1, 1.9, 1.8)), Map.of()).evidence())
        .contains("3 means of 500 steps");
  }

  /** Four measurements of a run of 150 steps, which bend as losses do. */
  @Test
  void aLossThatFallsEverMoreSlowlyDoesNotJitter() {
    Finding found =
        worst(
            Map.of(
                "Loss/train",
                falling(150, 1.9, 1.4),
                "Loss/val",
                every(50, 1.963, 1.598, 1.554, 1.542)),
            Map.of("task_type", "llm", "total_steps", "200"));
    assertThat(found.symptom()).isIn(Finding.Symptom.PLATEAU, Finding.Symptom.DESCENT);
    assertThat(found.evidence()).contains("the validation loss fell from 1.963 to 1.542");
    Finding rises =
        worst(
            Map.of(
                "Loss/train", falling(150, 1.9, 1.4), "Loss/val", every(50, 1.6, 1.3, 1.62, 1.542)),
            Map.of("task_type", "llm", "total_steps", "200"));
    assertThat(rises.symptom()).as("this one may").isEqualTo(Finding.Symptom.CANNOT_TELL);
  }

  /** A fall that matters to nobody is no descent that could stop at its first step. */
  @Test
  void whatFellByLessThanMattersCannotBeTold() {
    Finding found =
        worst(
            Map.of(
                "Loss/train",
                falling(24, 1.1, 1.09),
                "Loss/val",
                every(4, 0.1183, 0.1181, 0.1179, 0.1177, 0.1175, 0.1174)),
            Map.of("task_type", "sd", "total_steps", "200"));
    assertThat(found.symptom()).isEqualTo(Finding.Symptom.CANNOT_TELL);
  }

  @Test
  void noiseThatHidesEverythingIsSaidWithoutANumber() {
    Random r = new Random(2);
    double[] v = new double[24];
    for (int i = 0; i < v.length; i++) {
      v[i] = Math.exp(3 * r.nextGaussian());
    }
    Finding found = worst(Map.of("loss/current", every(1, v)), Map.of());
    assertThat(found.evidence()).endsWith("and its noise hides any change");
    assertThat(worst(Map.of("Loss/train", every(1, 2)), Map.of()).evidence())
        .isEqualTo("1 step so far");
  }

  @Test
  void aRangeTestRises() {
    double[] rates = new double[48];
    for (int i = 0; i < rates.length; i++) {
      rates[i] = 1e-6 * Math.pow(1.2, i);
    }
    Map<String, Curve> curves = Map.of("Loss/train", falling(48, 4, 1), "lr", every(1, rates));
    for (String schedule : List.of("cosine", "range_test")) {
      Map<String, String> settings =
          Map.of("task_type", "llm", "total_steps", "48", "lr_schedule", schedule);
      assertThat(
              Doctor.examine(new RunCurves(curves, settings)).stream()
                  .anyMatch(f -> f.symptom() == Finding.Symptom.SCHEDULE))
          .isEqualTo(schedule.equals("cosine"));
    }
  }

  /** Recorded steps as they come: any that hides a change says what would tell. */
  @Test
  void whatCannotBeToldNamesWhatWouldTell() {
    Random r = new Random(7);
    double[] v = new double[80];
    for (int i = 0; i < v.length; i++) {
      v[i] = 0.12 * Math.exp(0.6 * r.nextGaussian());
    }
    Finding images = worst(Map.of("loss/current", every(1, v)), Map.of());
    assertThat(images.symptom()).isEqualTo(Finding.Symptom.CANNOT_TELL);
    assertThat(images.evidence()).contains("its noise hides ");
    assertThat(images.advice()).contains("eval_steps");
  }

  @Test
  void aRateFarTooHighIsSetAndNotHalved() {
    Map<String, Curve> curves = new HashMap<>();
    curves.put("Loss/train", every(1, 2.1, 2.0, Double.NaN));
    curves.put("lr", every(1, 1e30, 1e30, 1e30));
    Map<String, String> settings =
        Map.of("task_type", "llm", "max_grad_norm", "1.0", "usual_learning_rate", "2e-4");
    assertThat(worst(curves, settings).advice())
        .startsWith("Set learning_rate: 2e-4 (usual; it is 1e30), and look")
        .doesNotContain("max_grad_norm");
  }

  @Test
  void aWarmupAsLongAsTheRunIsKnownBeforeItsFirstStep() {
    List<Finding> found =
        Doctor.examine(
            new RunCurves(
                Map.of(), Map.of("task_type", "llm", "warmup_steps", "500", "total_steps", "300")));
    assertThat(found.get(0).symptom()).isEqualTo(Finding.Symptom.SCHEDULE);
  }
}

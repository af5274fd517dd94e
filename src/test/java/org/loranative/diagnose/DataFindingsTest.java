package org.loranative.diagnose;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What the doctor says of data by the numbers that a run notes of them. */
class DataFindingsTest {
  private static final int STEPS = 120;

  /** A language model's run whose loss goes from 6 to {@code end}. */
  private static List<Finding> examine(double end, Map<String, String> facts) {
    long[] steps = new long[STEPS];
    double[] loss = new double[STEPS];
    for (int i = 0; i < STEPS; i++) {
      steps[i] = i + 1;
      loss[i] = end + (6 - end) * Math.exp(-i / 15.0) + 0.03 * Math.sin(31 * i);
    }
    Map<String, String> settings = new HashMap<>(facts);
    settings.put("task_type", "llm");
    settings.putIfAbsent("total_steps", String.valueOf(STEPS));
    return Doctor.examine(new RunCurves(Map.of("Loss/train", new Curve(steps, loss)), settings));
  }

  private static Optional<Finding> find(
      Finding.Symptom symptom, double end, Map<String, String> facts) {
    return examine(end, facts).stream().filter(f -> f.symptom() == symptom).findFirst();
  }

  @Test
  void saysHowManyRecordsAreThereAlready() {
    Map<String, String> facts =
        Map.of("data/records", "200", "data/duplicates", "20", "data/near_duplicates", "7");
    assertThat(find(Finding.Symptom.REPEATED_RECORDS, 2, facts).orElseThrow().evidence())
        .isEqualTo(
            "27 of 200 training records are there already, 7 of them but for case, spaces and"
                + " punctuation");
    assertThat(
            find(
                Finding.Symptom.REPEATED_RECORDS,
                2,
                Map.of("data/records", "200", "data/duplicates", "4")))
        .isEmpty();
  }

  @Test
  void imagesThatAreNearlyTheSameLookTheSame() {
    Map<String, String> facts =
        Map.of(
            "task_type", "sd",
            "data/records", "40",
            "data/near_duplicates", "7",
            "data/validation_records", "4",
            "data/near_validation_leak", "1");
    RunCurves run =
        new RunCurves(
            Map.of("Loss/train", new Curve(new long[] {1, 2}, new double[] {0.2, 0.2})), facts);
    assertThat(new RepeatedRecords().find(run).orElseThrow().evidence())
        .isEqualTo(
            "7 of 40 training records are there already, 7 of them as other files that look the"
                + " same");
    assertThat(new Memorized().find(run).orElseThrow().evidence())
        .isEqualTo(
            "1 of 4 validation records are trained on too, 1 of them as other files that look the"
                + " same");
  }

  @Test
  void saysThatValidationIsTrainedOnButForPunctuation() {
    Map<String, String> facts =
        Map.of(
            "data/validation_records", "40",
            "data/validation_leak", "1",
            "data/near_validation_leak", "5");
    assertThat(find(Finding.Symptom.VALIDATION_LEAK, 2, facts).orElseThrow().evidence())
        .isEqualTo(
            "6 of 40 validation records are trained on too, 5 of them but for case, spaces and"
                + " punctuation");
  }

  @Test
  void saysThatNothingButFrequenciesWasLearnt() {
    Map<String, String> facts = Map.of("data/label_entropy", "4.1", "vocab_size", "49152");
    Finding f = find(Finding.Symptom.FREQUENCIES_ALONE, 4.1, facts).orElseThrow();
    assertThat(f.evidence())
        .matches(
            "the loss ends at 4\\.\\d+; knowing how often each token comes and reading nothing"
                + " gives 4\\.100, guessing 10\\.8 \\(it began at 6\\.\\d+\\)");
    assertThat(find(Finding.Symptom.FREQUENCIES_ALONE, 3.4, facts)).isEmpty();
  }

  @Test
  void saysSoAsSoonAsEveryRecordWasSeen() {
    Map<String, String> facts = new HashMap<>();
    facts.put("data/label_entropy", "4.1");
    facts.put("total_steps", "4000");
    facts.put("data/records", "400");
    facts.put("batch_size", "4");
    assertThat(find(Finding.Symptom.FREQUENCIES_ALONE, 4.1, facts).orElseThrow().evidence())
        .contains("the loss stays at 4.1");
    assertThat(find(Finding.Symptom.FREQUENCIES_ALONE, 3.4, facts)).isEmpty();
    facts.put("warmup_steps", "40");
    assertThat(find(Finding.Symptom.FREQUENCIES_ALONE, 4.1, facts)).as("80 steps were").isEmpty();
    facts.put("warmup_steps", "0");
    facts.put("data/records", "481");
    assertThat(find(Finding.Symptom.FREQUENCIES_ALONE, 4.1, facts)).as("one is missing").isEmpty();
    facts.remove("data/records");
    assertThat(find(Finding.Symptom.FREQUENCIES_ALONE, 4.1, facts)).as("not known").isEmpty();
    facts.put("data/records", "400");
    facts.put("data/label_entropy", "1.2");
    assertThat(find(Finding.Symptom.FREQUENCIES_ALONE, 5.9, facts))
        .as("far above, flat")
        .isPresent();
    facts.put("data/label_entropy", "5");
    assertThat(find(Finding.Symptom.FREQUENCIES_ALONE, 5, facts)).isPresent();
  }

  /** What is above it and falls will pass it. */
  @Test
  void waitsWhileTheLossFalls() {
    long[] steps = new long[STEPS];
    double[] loss = new double[STEPS];
    for (int i = 0; i < STEPS; i++) {
      steps[i] = i + 1;
      loss[i] = 6 - 0.005 * i;
    }
    Map<String, String> settings =
        Map.of(
            "task_type", "llm",
            "total_steps", "1000",
            "batch_size", "4",
            "data/records", "100",
            "data/label_entropy", "4.1");
    RunCurves run = new RunCurves(Map.of("Loss/train", new Curve(steps, loss)), settings);
    assertThat(new FrequenciesAlone().find(run)).isEmpty();
  }
}

package org.loranative.diagnose;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.track.MeasuredRecords;

/** Measurements compared record by record: records differ much, their changes little. */
class PairedTest {
  private static final int STEPS = 200;
  private static final int EVERY = 20;

  private interface Course {
    /** The share of its first loss that a usual record has at a step. */
    double at(long step);
  }

  /**
   * @param noise by which a record's change differs from the usual one, as a share
   */
  private static RunCurves run(String set, int records, double noise, Course course) {
    Random random = new Random(records);
    double[] hard = random.doubles(records, 1, 6).toArray();
    List<MeasuredRecords> all = new ArrayList<>();
    List<double[]> means = new ArrayList<>();
    for (long step = 0; step <= STEPS; step += EVERY) {
      Map<String, Double> losses = new LinkedHashMap<>();
      double sum = 0;
      for (int i = 0; i < records; i++) {
        double loss = hard[i] * (course.at(step) + noise * random.nextGaussian());
        losses.put("line " + i, loss);
        sum += loss;
      }
      all.add(new MeasuredRecords(step, set, losses));
      means.add(new double[] {step, sum / records});
    }
    long[] steps = means.stream().mapToLong(m -> (long) m[0]).toArray();
    double[] values = means.stream().mapToDouble(m -> m[1]).toArray();
    long[] trained = new long[STEPS];
    double[] loss = new double[STEPS];
    for (int i = 0; i < STEPS; i++) {
      trained[i] = i + 1;
      loss[i] = 3.5 * (0.5 + 0.5 * Math.exp(-i / 40.0)) + 0.05 * random.nextGaussian();
    }
    return new RunCurves(
        Map.of("Loss/train", new Curve(trained, loss), "Loss/" + set, new Curve(steps, values)),
        Map.of("task_type", "llm", "total_steps", String.valueOf(STEPS)),
        List.of(),
        all);
  }

  private static Finding only(RunCurves run) {
    return Doctor.examine(run).get(0);
  }

  /** The interval is that of a mean of so many differences, whatever the records' own losses. */
  @Test
  void seesChangesThatMeansWouldHide() {
    RunCurves run = run("val", 60, 0.003, step -> step < STEPS ? 1 : 0.995);
    Paired p = Paired.of(run, "val", STEPS - EVERY, STEPS).orElseThrow();
    assertThat(p.records()).isEqualTo(60);
    assertThat(p.fell()).isCloseTo(0.005, offset(0.0012));
    double error = 1.96 * 0.003 * Math.sqrt(2) / Math.sqrt(60);
    assertThat(p.resolution()).isCloseTo(error, offset(error / 3));
    assertThat(p.isSure()).isTrue();
    assertThat(p.toString())
        .matches("0\\.[0-9]+ % better record by record, 95 % interval 0\\.[0-9]+ to 0\\.[0-9]+ %");
    assertThat(Paired.of(run, "val", STEPS - EVERY, STEPS)).contains(p);
    assertThat(Paired.of(run, "val", 3, STEPS)).isEmpty();
    assertThat(Paired.of(run, "probe", 0, STEPS)).isEmpty();
  }

  @Test
  void saysThatItStillFalls() {
    Finding f = only(run("val", 60, 0.003, step -> 1 - step / 600.0));
    assertThat(f.symptom()).isEqualTo(Finding.Symptom.DESCENT);
    assertThat(f.evidence()).contains("the last 40 steps: ").contains("better record by record");
  }

  @Test
  void saysThatItFallsNoMore() {
    Finding f = only(run("val", 60, 0.001, step -> 0.6 + 0.4 * Math.exp(-step / 15.0)));
    assertThat(f.symptom()).isEqualTo(Finding.Symptom.PLATEAU);
    assertThat(f.evidence()).contains("95 % interval");
  }

  /** Eight records that go this way and that hide a change of a percent. */
  @Test
  void saysHowSmallAChangeSoFewRecordsShow() {
    Finding f = only(run("val", 8, 0.04, step -> 0.6 + 0.4 * Math.exp(-step / 20.0)));
    assertThat(f.symptom()).isEqualTo(Finding.Symptom.CANNOT_TELL);
    assertThat(f.evidence()).containsPattern("8 records show changes from [0-9.]+ % on");
    assertThat(f.advice()).containsPattern("some [0-9]+ held-out records would tell");
  }

  /** Means rise by 6 %, but a few records alone make them. */
  @Test
  void takesNoFewRecordsForOverfitting() {
    RunCurves sure = run("val", 40, 0.005, step -> 1 + Math.abs(step - 100) / 1000.0);
    assertThat(only(sure).symptom()).isEqualTo(Finding.Symptom.OVERFITTING);
    assertThat(only(sure).evidence()).contains("worse record by record, 95 % interval");
    List<MeasuredRecords> one = new ArrayList<>();
    for (MeasuredRecords m : sure.records()) {
      Map<String, Double> losses = new LinkedHashMap<>();
      m.losses().forEach((record, x) -> losses.put(record, 3.0));
      losses.put("line 0", 3.0 * (1 + Math.abs(m.step() - 100) * 0.04));
      one.add(new MeasuredRecords(m.step(), m.set(), losses));
    }
    RunCurves unsure = new RunCurves(sure.scalars(), sure.settings(), List.of(), one);
    assertThat(only(unsure).symptom()).isEqualTo(Finding.Symptom.CANNOT_TELL);
    assertThat(only(unsure).advice()).contains("held-out records would tell");
  }

  /** An image that is measured at several timesteps counts once. */
  @Test
  void readsWhatARunWrote(@TempDir Path logs) throws Exception {
    StringBuilder lines = new StringBuilder();
    for (int step : new int[] {0, 20}) {
      lines.append(
          "{\"step\":" + step + ",\"set\":\"train\",\"records\":[\"a\"],\"losses\":[9]}\n");
      for (String part : List.of("val/t0-249", "val/t250-499")) {
        lines.append("{\"step\":" + step + ",\"set\":\"" + part + "\",\"records\":[");
        for (int i = 0; i < 6; i++) {
          String at = part.startsWith("val/t0") ? " t125" : " sigma0.38"; // as flow matching has it
          lines.append(i > 0 ? "," : "").append("\"image " + i + at + "\"");
        }
        lines.append("],\"losses\":[");
        for (int i = 0; i < 6; i++) {
          lines.append(i > 0 ? "," : "").append(1 + i - step * 0.01);
        }
        lines.append("]}\n");
      }
    }
    lines.append("{\"step\":40,\"set\":\"val/t0-");
    Files.writeString(logs.resolve(MeasuredRecords.FILE), lines);
    List<MeasuredRecords> read = MeasuredRecords.read(logs);
    assertThat(read).hasSize(4).allMatch(m -> m.isOf("val"));
    RunCurves run = new RunCurves(Map.of(), Map.of(), List.of(), read);
    Paired p = Paired.of(run, "val", 0, 20).orElseThrow();
    assertThat(p.records()).isEqualTo(6);
    assertThat(p.fell()).isCloseTo(0.2 / 3.5, offset(1e-9));
    assertThat(p.low()).isCloseTo(0.2 / 3.5, offset(1e-9));
    List<MeasuredRecords> few = new ArrayList<>();
    for (MeasuredRecords m : read) {
      Map<String, Double> some = new LinkedHashMap<>(m.losses());
      some.keySet().removeIf(r -> r.compareTo("image 4") > 0);
      few.add(new MeasuredRecords(m.step(), m.set(), some));
    }
    Paired single =
        Paired.of(new RunCurves(Map.of(), Map.of(), List.of(), few), "val", 0, 20).orElseThrow();
    assertThat(single.records()).as("four images at two timesteps").isEqualTo(8);
  }
}

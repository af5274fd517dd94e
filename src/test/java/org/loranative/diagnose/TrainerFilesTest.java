package org.loranative.diagnose;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.loranative.track.TensorBoard;

/** Runs of every trainer are read by the tags that it writes. */
class TrainerFilesTest {
  @TempDir private Path folder;

  private record Trainer(
      String name, String task, String loss, String validation, List<String> more) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Trainer> trainers() {
    return Stream.of(
        new Trainer("lora-native", "llm", "Loss/train", "Loss/val", List.of("perf/tokens_per_s")),
        new Trainer(
            "OneTrainer",
            "sd",
            "loss/train_step",
            "loss/validation_step/total_average",
            List.of("smooth_loss/train_step", "lr/unet", "loss/validation_step/dogs")),
        new Trainer(
            "OneTrainer, one concept",
            "sd",
            "loss/train_step",
            "loss/validation_step/dogs",
            List.of()),
        new Trainer(
            "Lightning", "llm", "train_loss_step", "val/loss_epoch", List.of("train_loss_epoch")),
        new Trainer(
            "Lightning, slashes", "llm", "train/loss_step", "val_loss_epoch", List.of("lr-AdamW")),
        new Trainer(
            "kohya by step",
            "sd",
            "loss/current",
            "loss/validation/step_average",
            List.of("loss/average", "lr/textencoder", "loss/validation/step_current")),
        new Trainer(
            "kohya by epoch",
            "sd",
            "loss/current",
            "loss/validation/epoch_average",
            List.of("lr/unet")),
        new Trainer(
            "musubi", "sd", "loss/current", "", List.of("loss/average", "loss/epoch", "lr/unet")),
        new Trainer("diffusers", "sd", "train_loss", "", List.of()),
        new Trainer("diffusers' bar", "sd", "step_loss", "", List.of("lr")),
        new Trainer("DreamBooth, ai-toolkit", "sd", "loss", "", List.of("lr")),
        new Trainer("SimpleTuner", "sd", "train_loss", "", List.of("learning_rate", "epoch")),
        new Trainer(
            "diffusion-pipe",
            "sd",
            "train/loss",
            "held/loss",
            List.of("held/loss_quantile_0.10", "train/epoch_loss")),
        new Trainer(
            "TRL",
            "llm",
            "train/loss",
            "eval/loss",
            List.of("train/mean_token_accuracy", "train/grad_norm")),
        new Trainer(
            "Transformers, axolotl, unsloth, LLaMA-Factory",
            "llm",
            "train/loss",
            "eval/loss",
            List.of("train/learning_rate", "train/epoch", "train/train_loss", "eval/runtime")),
        new Trainer(
            "two evaluation sets", "llm", "train/loss", "eval/chat_loss", List.of("train/epoch")));
  }

  private static double[] loss(String task, int n, int seed) {
    Random r = new Random(seed);
    double[] v = new double[n];
    for (int i = 0; i < n; i++) {
      double level = task.equals("sd") ? 0.12 - 0.01 * i / n : 1.2 + 1.5 * Math.exp(-5.0 * i / n);
      v[i] = level * Math.exp((task.equals("sd") ? 0.5 : 0.06) * r.nextGaussian());
    }
    return v;
  }

  private static Curve every(int steps, double... v) {
    return new Curve(LongStream.rangeClosed(1, v.length).map(i -> i * steps).toArray(), v);
  }

  @ParameterizedTest
  @MethodSource("trainers")
  void tagsAreKnown(Trainer trainer) {
    Map<String, Curve> curves = new HashMap<>();
    trainer.more().forEach(tag -> curves.put(tag, every(40, 1, 1, 1, 1, 1)));
    curves.put(trainer.loss(), every(1, loss(trainer.task(), 400, 1)));
    if (!trainer.validation().isEmpty()) {
      curves.put(trainer.validation(), every(50, 9, 8, 7, 6, 5, 4, 3, 2));
    }
    RunCurves run = new RunCurves(curves, Map.of());
    assertThat(run.loss()).isEqualTo(curves.get(trainer.loss()));
    assertThat(run.validation().size()).isEqualTo(trainer.validation().isEmpty() ? 0 : 8);
    assertThat(run.isDiffusion()).isEqualTo(trainer.task().equals("sd"));
    // A healthy loss is none that is flat.
    curves.keySet().removeAll(List.of(trainer.validation()));
    assertThat(Doctor.examine(new RunCurves(curves, Map.of())))
        .noneMatch(f -> f.symptom().severity.compareTo(Finding.Severity.WARNING) >= 0);
  }

  /** kohya's older scripts write what they measure once an epoch at the number of the epoch. */
  @Test
  void epochsAreStepsOfTraining() {
    Map<String, Curve> curves =
        Map.of(
            "loss/current", every(1, loss("sd", 4000, 2)),
            "loss/validation/epoch_average",
                every(1, 0.121, 0.118, 0.117, 0.122, 0.131, 0.14, 0.15, 0.16));
    RunCurves run = new RunCurves(curves, Map.of());
    assertThat(run.validation().steps()).startsWith(500, 1000).endsWith(4000);
    Finding found = Doctor.examine(run).get(0);
    assertThat(found.symptom()).isEqualTo(Finding.Symptom.OVERFITTING);
    assertThat(found.step()).isEqualTo(1500);
  }

  @Test
  void jsonOfTheTrainersIsRead() throws IOException {
    StringBuilder history = new StringBuilder();
    StringBuilder log = new StringBuilder();
    double[] v = loss("llm", 60, 4);
    for (int i = 1; i <= 60; i++) {
      history.append(
          String.format(
              "{\"loss\": %.4f, \"learning_rate\": 1e-4, \"epoch\": 0.1, \"step\": %d},",
              v[i - 1], 10 * i));
      log.append(
          String.format(
              "{\"current_steps\": %d, \"total_steps\": 600, \"loss\": %.4f, \"lr\": 1e-4,"
                  + " \"percentage\": 1.0}%n",
              10 * i, v[i - 1]));
    }
    Path state =
        Files.createDirectories(folder.resolve("hf/checkpoint-600")).resolve("trainer_state.json");
    Files.writeString(
        state,
        "{\"max_steps\": 600, \"log_history\": ["
            + history
            + "{\"eval_loss\": 1.31, \"step\": 600}, {\"train_loss\": 1.5, \"step\": 600}]}");
    Files.writeString(
        Files.createDirectories(folder.resolve("factory")).resolve("trainer_log.jsonl"),
        log.toString());

    List<Recording> runs = Recording.at(folder, (at, e) -> {});
    assertThat(runs).extracting(Recording::name).containsExactly("factory", "hf");
    assertThat(runs).allMatch(r -> r.curves().loss().size() == 60);
    assertThat(runs.get(1).curves().validation().size()).isEqualTo(1);
    assertThat(runs.get(1).curves().number("total_steps")).hasValue(600);
    assertThat(runs).noneMatch(r -> r.curves().isDiffusion());
    assertThat(Recording.at(state, (at, e) -> {}).get(0).curves().loss().size()).isEqualTo(60);
  }

  /** The Trainer writes each session into a folder of its own. */
  @Test
  void resumedRunsAreJudgedWhole() throws IOException {
    double[] v = loss("llm", 200, 5);
    session("runs/a", v, 1, 120);
    session("runs/b", v, 101, 200);
    List<Recording> runs = Recording.at(folder, (at, e) -> {});
    assertThat(runs).hasSize(1);
    Curve loss = runs.get(0).curves().loss();
    assertThat(loss.steps()).isEqualTo(LongStream.rangeClosed(1, 200).toArray());
    session("runs/c", loss("llm", 50, 6), 1, 50);
    assertThat(Recording.at(folder, (at, e) -> {})).as("another run").hasSize(2);
  }

  private void session(String name, double[] v, int from, int to) throws IOException {
    try (TensorBoard board = new TensorBoard(folder.resolve(name), from)) {
      for (int i = from; i <= to; i++) {
        board.scalars(i, Map.of("train/loss", v[i - 1]));
      }
    }
  }
}

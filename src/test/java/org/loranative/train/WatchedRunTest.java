package org.loranative.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;
import org.loranative.config.ConfigReader;
import org.loranative.image.Picture;
import org.loranative.io.AtomicFolders;
import org.loranative.testing.ThinDiffusion;
import org.loranative.testing.TinyModel;
import org.loranative.track.Console;
import org.loranative.track.RecordedRun;
import org.loranative.track.RunRequests;
import org.loranative.track.RunStatus;
import org.loranative.train.runs.TrainRun;

/** Runs that act on their losses: early stop, the best adapter, rollback, measured images. */
class WatchedRunTest {
  @TempDir private Path folder;
  private Path base;
  private final Console console = new Console(new PrintStream(new ByteArrayOutputStream()), false);

  @BeforeEach
  void prepare() throws IOException {
    base = TinyModel.write(folder.resolve("base"));
    write("train.jsonl", "the answer is ", 0);
    write("other.jsonl", "quite another thing: ", 40);
  }

  private void write(String name, String answer, int from) throws IOException {
    List<String> lines = new ArrayList<>();
    for (int i = from; i < from + 8; i++) {
      lines.add(
          String.format(
              "{\"prompt\":\"what is %d? \",\"completion\":\"%s%d\"}", i, answer, i * i % 7));
    }
    Files.write(folder.resolve(name), lines);
  }

  private Optional<Path> train(String output, boolean resume, StopSignal stop, String... more) {
    List<String> settings =
        new ArrayList<>(
            List.of(
                "base_model=" + base,
                "metadata_path=" + folder.resolve("train.jsonl"),
                "output_dir=" + folder.resolve(output),
                "batch_size=4",
                "max_steps=60",
                "lr_schedule=constant",
                "learning_rate=0.01",
                "save_steps=10",
                "threads=1",
                "device=cpu"));
    settings.addAll(List.of(more));
    try (TrainRun run = new TrainRun(ConfigReader.read(Optional.empty(), settings))) {
      return run.train(resume, console, stop);
    }
  }

  private List<JsonNode> metrics(String output) throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(folder.resolve(output).resolve("logs/metrics.jsonl"))) {
      lines.add(new ObjectMapper().readTree(line));
    }
    return lines;
  }

  private List<String> losses(String output) throws IOException {
    return metrics(output).stream().map(n -> n.path("step") + " " + n.path("loss")).toList();
  }

  private byte[] adapter(String place) throws IOException {
    return Files.readAllBytes(folder.resolve(place).resolve("adapter_model.safetensors"));
  }

  /**
   * Another process asks by files in the run's folder; what is left over from before asks nothing.
   */
  @Test
  void doesWhatItsFolderAsks() throws IOException {
    train("whole", false, new StopSignal(), "max_steps=30");
    RunRequests requests = new RunRequests(folder.resolve("asked"));
    int[] looks = {0};
    StopSignal stop =
        new StopSignal()
            .or(
                () -> {
                  looks[0]++;
                  try {
                    if (looks[0] == 5) {
                      requests.ask(RunRequests.Request.SAVE);
                    }
                    if (looks[0] == 25) {
                      requests.ask(RunRequests.Request.STOP);
                    }
                  } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                  }
                  return false;
                });
    Optional<Path> finished =
        train("asked", false, stop, "max_steps=30", "keep_checkpoints=9", "save_steps=100");
    assertThat(finished).isEmpty();
    assertThat(stop.exitCode()).isEqualTo(130);
    assertThat(requests.isWaiting(RunRequests.Request.SAVE)).isFalse();
    assertThat(requests.isWaiting(RunRequests.Request.STOP)).isFalse();
    List<Path> checkpoints = RunFolder.checkpoints(folder.resolve("asked"));
    assertThat(checkpoints).as("saved when asked, and at the stop").hasSize(2);
    assertThat(RunStatus.read(folder.resolve("asked/logs")).orElseThrow().state())
        .isEqualTo(RunStatus.State.STOPPED);

    requests.ask(RunRequests.Request.STOP); // of nobody who knows of the next session
    train("asked", true, new StopSignal(), "max_steps=30", "keep_checkpoints=9", "save_steps=100");
    assertThat(RunStatus.read(folder.resolve("asked/logs")).orElseThrow().state())
        .isEqualTo(RunStatus.State.FINISHED);
    assertThat(adapter("asked/adapter")).isEqualTo(adapter("whole/adapter"));
  }

  @Test
  void stopsEarlyAndKeepsTheBest() throws IOException {
    String[] watched = {
      "validation_path=" + folder.resolve("other.jsonl"), "eval_steps=2", "early_stop=3"
    };
    train("early", false, new StopSignal(), watched);
    List<JsonNode> lines = metrics("early");
    int last = lines.size();
    assertThat(last).isLessThan(60);
    double best = Double.POSITIVE_INFINITY;
    int bestStep = 0;
    for (JsonNode line : lines) {
      if (line.has("val_loss") && line.path("val_loss").asDouble() < best) {
        best = line.path("val_loss").asDouble();
        bestStep = line.path("step").asInt();
      }
    }
    assertThat(last).as("three measurements after the best").isEqualTo(bestStep + 6);

    // The best adapter is that of a run which ends there.
    train("short", false, new StopSignal(), "max_steps=" + bestStep);
    assertThat(adapter("early/best")).isEqualTo(adapter("short/adapter"));
    assertThat(adapter("early/adapter")).isNotEqualTo(adapter("early/best"));
    assertThat(folder.resolve("early/logs/train.log")).content().contains("Stopped early after");

    // It is over also when it is resumed; a cut run ends at the same step.
    train("early", true, new StopSignal(), watched);
    assertThat(metrics("early")).hasSize(last);
    train("cut", false, new StopSignal(), watched);
    AtomicFolders.delete(folder.resolve("cut/checkpoint-" + last));
    AtomicFolders.delete(folder.resolve("cut/adapter"));
    train("cut", true, new StopSignal(), watched);
    assertThat(losses("cut")).isEqualTo(losses("early"));
    assertThat(adapter("cut/best")).isEqualTo(adapter("early/best"));

    assertThatThrownBy(() -> train("blind", false, new StopSignal(), "early_stop=3"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("validation_fraction");
  }

  @Test
  void goesBackWithHalfTheRate() throws IOException {
    String[] wild = {
      "learning_rate=1e25", "on_divergence=rollback", "max_rollbacks=100", "max_grad_norm=0"
    };
    train("wild", false, new StopSignal(), wild);
    JsonNode end =
        new ObjectMapper()
            .readTree(folder.resolve("wild/checkpoint-60/trainer_state.json").toFile());
    int rollbacks = end.path("rollbacks").asInt();
    assertThat(rollbacks).isBetween(10, 99);
    assertThat(end.path("lr_factor").asDouble()).isEqualTo(Math.pow(2, -rollbacks));
    List<JsonNode> lines = metrics("wild");
    assertThat(lines).hasSize(60);
    for (int i = 0; i < 60; i++) {
      assertThat(lines.get(i).path("step").asInt()).isEqualTo(i + 1);
      assertThat(lines.get(i).path("loss").asDouble()).isFinite();
    }
    // Readers of the event file see one curve, too.
    var loss = new RecordedRun(folder.resolve("wild/logs")).readAll().scalars("Loss/train");
    assertThat(loss.size()).isEqualTo(60);
    assertThat(loss.value(59)).isFinite();

    // What a resumed run knows of it: the same losses to the bit.
    train("cut", false, new StopSignal(), wild);
    AtomicFolders.delete(folder.resolve("cut/checkpoint-60"));
    AtomicFolders.delete(folder.resolve("cut/adapter"));
    train("cut", true, new StopSignal(), wild);
    assertThat(losses("cut")).isEqualTo(losses("wild"));
  }

  @Test
  void givesUpAfterSoManyRollbacks() throws IOException {
    assertThatThrownBy(
            () ->
                train(
                    "lost",
                    false,
                    new StopSignal(),
                    "learning_rate=1e30",
                    "on_divergence=rollback",
                    "max_rollbacks=2"))
        .isInstanceOf(TrainingDivergedException.class);
    JsonNode state =
        new ObjectMapper()
            .readTree(folder.resolve("lost/checkpoint-0/trainer_state.json").toFile());
    assertThat(state.path("rollbacks").asInt()).isEqualTo(2);
    assertThatThrownBy(() -> train("stop", false, new StopSignal(), "learning_rate=1e30"))
        .isInstanceOf(TrainingDivergedException.class)
        .hasMessageContaining("the loss is");
    var loss = new RecordedRun(folder.resolve("stop/logs")).readAll().scalars("Loss/train");
    assertThat(loss.value(loss.size() - 1)).as("the curve shows why").isNaN();
  }

  /** Held-out images and the probe are measured alike each time, in bands of timesteps. */
  @Test
  void measuresImagesWithFixedNoise() throws IOException {
    Path data = Files.createDirectories(folder.resolve("images"));
    List<String> lines = new ArrayList<>(List.of("filename,prompt"));
    for (int i = 0; i < 24; i++) {
      float[] rgb = new float[64 * 64 * 3];
      for (int k = 0; k < rgb.length; k++) {
        rgb[k] = (float) (0.5 + 0.5 * Math.sin(k * (i + 1) / 50.0));
      }
      new Picture(64, 64, rgb).writePng(data.resolve(i + ".png"));
      lines.add(i + ".png,picture " + i);
    }
    Files.write(data.resolve("metadata.csv"), lines);
    String[] images = {
      "task_type=sd",
      "base_model=" + ThinDiffusion.write(folder.resolve("thin")),
      "metadata_path=" + data,
      "resolution=64",
      "batch_size=8",
      "max_steps=2",
      "eval_steps=1",
      "cache_encodings=false"
    };
    train("still", false, new StopSignal(), images, "learning_rate=1e-30");
    List<JsonNode> still = metrics("still");
    for (String key : List.of("val_loss", "probe_loss")) {
      double first = still.get(0).path(key).asDouble();
      assertThat(first).isBetween(0.01, 1.5);
      assertThat(still.get(1).path(key).asDouble())
          .as("nothing learnt, nothing changed: " + key)
          .isCloseTo(first, org.assertj.core.data.Offset.offset(first * 1e-5));
    }
    double bands = 0;
    for (String band : List.of("t0-249", "t250-499", "t500-749", "t750-999")) {
      bands += still.get(0).path("probe/" + band + "_loss").asDouble() / 4;
    }
    assertThat(still.get(0).path("probe_loss").asDouble())
        .isCloseTo(bands, org.assertj.core.data.Offset.offset(1e-5));
    assertThat(folder.resolve("still/best/lora.safetensors")).exists();

    train("all", false, new StopSignal(), images, "validation_fraction=0");
    assertThat(metrics("all").get(0).has("val_loss")).isFalse();
    assertThat(metrics("all").get(0).has("probe_loss")).isTrue();
  }

  private void train(String output, boolean resume, StopSignal stop, String[] first, String more) {
    List<String> all = new ArrayList<>(List.of(first));
    all.add(more);
    train(output, resume, stop, all.toArray(String[]::new));
  }
}

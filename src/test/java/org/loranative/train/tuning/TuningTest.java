package org.loranative.train.tuning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.StoppedException;
import org.loranative.UserException;
import org.loranative.config.ConfigReader;
import org.loranative.config.TrainConfig;
import org.loranative.testing.TinyModel;
import org.loranative.track.Console;
import org.loranative.train.StopSignal;
import org.loranative.train.runs.TrainRun;

/** A search over runs of a tiny model. */
class TuningTest {
  @TempDir private Path folder;
  private Path config;
  private List<Integer> ranks = List.of();
  private final ByteArrayOutputStream said = new ByteArrayOutputStream();

  @BeforeEach
  void prepare() throws IOException {
    TinyModel.write(folder.resolve("base"));
    Files.write(folder.resolve("train.jsonl"), records(0, 24));
    Files.write(folder.resolve("val.jsonl"), records(24, 36));
    config = folder.resolve("run.yaml");
    Files.writeString(
        config,
        """
        # my run
        base_model: %1$s/base
        metadata_path: %1$s/train.jsonl
        validation_path: %1$s/val.jsonl
        lora_rank: 4
        lora_targets:
        - q_proj   # both
        - v_proj
        learning_rate: 1e-3 # a guess

        batch_size: 4
        epochs: 7
        threads: 1
        device: cpu
        output_dir: %1$s/run
        """
            .formatted(folder));
  }

  private static List<String> records(int from, int to) {
    List<String> lines = new ArrayList<>();
    for (int i = from; i < to; i++) {
      lines.add(
          "{\"prompt\":\"what is " + i % 7 + "? \",\"completion\":\"it is " + (i + 1) % 7 + "\"}");
    }
    return lines;
  }

  /** Answers that training does not teach: the validation loss rises soon. */
  private String otherAnswers() throws IOException {
    Path other = folder.resolve("other.jsonl");
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      lines.add("{\"prompt\":\"what is " + i % 7 + "? \",\"completion\":\"is it " + i + "?\"}");
    }
    Files.write(other, lines);
    return "validation_path=" + other;
  }

  private Path tune(String output, Duration time, StopSignal stop, String... more)
      throws IOException {
    Console console = new Console(new PrintStream(said, true, StandardCharsets.UTF_8), false);
    return new Tuning(
            folder.resolve(output), Optional.of(config), List.of(more), ranks, time, console, stop)
        .run();
  }

  private String said() {
    return said.toString(StandardCharsets.UTF_8);
  }

  private static TrainConfig read(Path file) {
    return ConfigReader.read(Optional.of(file), List.of());
  }

  @Test
  void findsSettingsAndWritesThemIntoTheUsersFile() throws IOException {
    Path tuned = tune("tune", Duration.ofHours(1), new StopSignal(), "seed=3");
    assertThat(said())
        .containsSubsequence(
            "Range test: 48 steps with a rising learning rate.",
            "Range test: the loss on training records fell",
            "4 candidates, runs of 42 steps",
            "After step 16 of 42:",
            "After step 42 of 42:",
            "Best: rate ",
            "How sure: against the next one",
            "Written: ");
    assertThat(Files.readString(tuned))
        .startsWith("# my run\n")
        .contains("- q_proj   # both\n- v_proj\nlearning_rate: ")
        .contains("# found by lora-native tune\n\nbatch_size: 4")
        .contains("seed: 3")
        .doesNotContain("a guess");
    TrainConfig found = read(tuned);
    assertThat(found.loraTargets()).hasSize(2);
    assertThat(found.outputDir()).isEqualTo(folder.resolve("run").toString());
    assertThat(found.learningRate()).isNotEqualTo(1e-3);
    // Every trial is a run of its own, and the best one's loss is the lowest of those that ended.
    List<Double> last = new ArrayList<>();
    try (Stream<Path> runs = Files.list(folder.resolve("tune"))) {
      for (Path run : runs.filter(Files::isDirectory).toList()) {
        TrialCurves m = TrialCurves.of(run);
        m.at(42).ifPresent(last::add);
      }
    }
    assertThat(last).hasSizeGreaterThanOrEqualTo(2);
    assertThat(said())
        .contains("The best learning rate is at the end of those tried: ")
        .contains(
            String.format(
                "  validation loss %.4f: rate %s",
                last.stream().min(Double::compare).orElseThrow(),
                Candidate.number(found.learningRate())));
  }

  /** Stopped anywhere, it goes on to the same result, and asks for no run twice. */
  @Tag("slow")
  @Test
  void goesOnWhereItWasStopped() throws IOException {
    String other = otherAnswers();
    Path whole = tune("whole", Duration.ofHours(1), new StopSignal(), other);
    StopSignal stopped = new StopSignal();
    stopped.set();
    for (int i = 0; i < 3; i++) {
      assertThatThrownBy(() -> tune("parts", Duration.ofHours(1), stopped, other))
          .isInstanceOf(StoppedException.class)
          .hasMessage("Stopped; the same command goes on.");
    }
    Path parts = tune("parts", Duration.ofHours(1), new StopSignal(), other);
    assertThat(said()).as("it overfits").contains("so the run is to end there");
    assertThat(parts).hasSameTextualContentAs(whole);
    Map<String, Long> sizes = Map.of("tune.json", Files.size(folder.resolve("parts/tune.json")));
    said.reset();
    tune("parts", Duration.ofHours(1), new StopSignal(), other);
    assertThat(said()).as("nothing is left to train").doesNotContain("tokens/s").contains("Best: ");
    assertThat(Files.size(folder.resolve("parts/tune.json"))).isEqualTo(sizes.get("tune.json"));
    assertThatThrownBy(
            () -> tune("parts", Duration.ofHours(1), new StopSignal(), other, "batch_size=2"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("was begun with batch_size: 4, and now it is 2");
  }

  @Tag("slow")
  @Test
  void timeThatIsOverWithinTheRangeTestIsSaidAndItGoesOn() throws IOException {
    assertThatThrownBy(() -> tune("short", Duration.ofMillis(1), new StopSignal()))
        .isInstanceOf(UserException.class)
        .hasMessageMatching(
            "The time was over after step \\d+ of the range test's 48. The same command with --for"
                + " \\d+m or longer goes on.");
    assertThat(folder.resolve("short/range-test/logs/metrics.jsonl")).exists();
    assertThat(tune("short", Duration.ofHours(1), new StopSignal())).exists();
  }

  /** With time for nothing else there is a file all the same, and what it is worth is said. */
  @Tag("slow")
  @Test
  void aRangeTestAloneGivesARateThatIsCalledUntried() throws IOException {
    StopSignal afterRangeTest =
        new StopSignal().or(() -> said().contains("Range test: the loss on training"));
    assertThatThrownBy(() -> tune("alone", Duration.ofHours(1), afterRangeTest))
        .isInstanceOf(StoppedException.class);
    Path tuned = tune("alone", Duration.ofMillis(1), new StopSignal());
    assertThat(said())
        .contains("Best: not known. Rate ")
        .containsPattern("takes \\d+ steps more: the same command with --for \\d+m or longer");
    assertThat(Files.readString(tuned)).contains("# suggested by a range test, not tried");
    assertThat(read(tuned).loraRank()).isEqualTo(4);
    tune("alone", Duration.ofHours(1), new StopSignal());
    assertThat(Files.readString(tuned)).contains("# found by lora-native tune");
  }

  @Test
  void anOptimizerThatFindsItsRateIsTimedFirst() {
    assertThatThrownBy(
            () -> tune("own", Duration.ofMillis(1), new StopSignal(), "optimizer=prodigy"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("There is no time to compare candidates");
    assertThat(folder.resolve("own/clock")).exists();
  }

  /** A rank that needs more memory than there is ends no search that has others. */
  @Tag("slow")
  @Test
  void aRankThatDoesNotFitIsLeftOut() throws IOException {
    long bytes;
    try (TrainRun run = new TrainRun(read(config))) {
      bytes = run.bytes();
    }
    String budget = "memory_budget=" + (bytes / 1000 + 1) + "KB";
    ranks = List.of(4, 64);
    Path tuned = tune("fits", Duration.ofHours(1), new StopSignal(), budget);
    assertThat(said()).contains("Rank 64 is left out: ");
    assertThat(read(tuned).loraRank()).isEqualTo(4);
    ranks = List.of(64);
    assertThatThrownBy(() -> tune("none", Duration.ofHours(1), new StopSignal(), budget))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("No rank of --ranks can be trained");
  }

  @Test
  void whatCannotBeTriedIsSaidBeforeAnythingIs() {
    ranks = List.of(100_000);
    assertThatThrownBy(() -> tune("x", Duration.ofHours(1), new StopSignal()))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("lora_rank");
    ranks = List.of();
    assertThatThrownBy(
            () -> tune("x", Duration.ofHours(1), new StopSignal(), "lr_schedule=range_test"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("makes a range test by itself");
    assertThatThrownBy(() -> tune("run.yaml/x", Duration.ofHours(1), new StopSignal()))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("cannot be written");
    assertThat(folder.resolve("x")).doesNotExist();
  }

  @Test
  void goesOnWithTheSameDataOnly() throws IOException {
    StopSignal stopped = new StopSignal();
    stopped.set();
    for (String file : List.of("train.jsonl", "val.jsonl")) {
      assertThatThrownBy(() -> tune(file + "-tune", Duration.ofHours(1), stopped))
          .isInstanceOf(StoppedException.class);
      Path data = folder.resolve(file);
      String before = Files.readString(data);
      Files.writeString(data, before.replaceFirst("it is 1", "it is 9"));
      assertThatThrownBy(() -> tune(file + "-tune", Duration.ofHours(1), stopped))
          .isInstanceOf(UserException.class)
          .hasMessageContaining("The data are not those that ");
      Files.writeString(data, before);
    }
  }

  @Test
  void aFolderOfSomethingElseIsNotTaken() throws IOException {
    Path other = Files.createDirectories(folder.resolve("other"));
    Files.writeString(other.resolve("notes.txt"), "mine");
    assertThatThrownBy(() -> tune("other", Duration.ofHours(1), new StopSignal()))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("holds notes.txt and no tune.json");
    assertThatThrownBy(() -> tune("other/notes.txt", Duration.ofHours(1), new StopSignal()))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("is a file; name a folder");
    for (String damage : List.of("{\"settings\":", "[]", "{}", "{\"settings\": 3}", "")) {
      Path broken = Files.createDirectories(folder.resolve("broken"));
      Files.writeString(broken.resolve("tune.json"), damage);
      assertThatThrownBy(() -> tune("broken", Duration.ofHours(1), new StopSignal()))
          .isInstanceOf(UserException.class)
          .hasMessageContaining("cannot be read as what tune wrote there");
    }
  }

  @Test
  void needsSomethingHeldOut() {
    assertThatThrownBy(
            () ->
                tune(
                    "none",
                    Duration.ofHours(1),
                    new StopSignal(),
                    "validation_path=",
                    "validation_fraction=0"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("nothing is held out: set validation_path");
    assertThat(folder.resolve("none")).doesNotExist();
  }

  @Test
  void timesAreWrittenAsPeopleWriteThem() {
    assertThat(Tuning.time("1h30m")).isEqualTo(Duration.ofMinutes(90));
    assertThat(Tuning.time("45s")).isEqualTo(Duration.ofSeconds(45));
    for (String wrong : List.of("2", "", "soon", "-1h", "0m")) {
      assertThatThrownBy(() -> Tuning.time(wrong))
          .isInstanceOf(UserException.class)
          .hasMessageContaining("write a time such as 90m");
    }
  }
}

package org.loranative.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.RandomAccessFile;
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
import org.loranative.export.LanguageMerge;
import org.loranative.io.AtomicFolders;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.model.llm.LlmBase;
import org.loranative.model.llm.Sampling;
import org.loranative.testing.TinyModel;
import org.loranative.track.Console;
import org.loranative.train.llm.Answers;
import org.loranative.train.machine.Machine;
import org.loranative.train.runs.TrainRun;

/** NaN that was there before training: the learning rate is not blamed. */
class NotFiniteTest {
  @TempDir private Path folder;
  private Path base;

  @BeforeEach
  void prepare() throws IOException {
    base = TinyModel.write(folder.resolve("base"));
    Files.writeString(
        folder.resolve("train.jsonl"),
        "{\"prompt\":\"what is 3? \",\"completion\":\"three\"}\n".repeat(8));
  }

  private Optional<Path> train(String output, boolean resume, String... more) {
    List<String> settings =
        new ArrayList<>(
            List.of(
                "base_model=" + base,
                "metadata_path=" + folder.resolve("train.jsonl"),
                "output_dir=" + folder.resolve(output),
                "batch_size=2",
                "device=cpu",
                "threads=1"));
    settings.addAll(List.of(more));
    Console silent = new Console(new PrintStream(new ByteArrayOutputStream()), false);
    try (TrainRun run = new TrainRun(ConfigReader.read(Optional.empty(), settings))) {
      return run.train(resume, silent, new StopSignal());
    }
  }

  /** Makes a number in the middle of a tensor NaN. */
  private static void damage(Path file, String tensor) throws IOException {
    TensorEntry entry = Safetensors.read(file).tensors().get(tensor);
    try (RandomAccessFile f = new RandomAccessFile(file.toFile(), "rw")) {
      f.seek(entry.offset() + entry.bytes() / 2 / 4 * 4);
      f.writeInt(Integer.reverseBytes(Float.floatToIntBits(Float.NaN)));
    }
  }

  @Test
  void inTheBase() throws IOException {
    String tensor = "model.layers.1.mlp.up_proj.weight";
    damage(base.resolve("model.safetensors"), tensor);
    assertThatThrownBy(() -> train("out", false, "on_divergence=rollback"))
        .isInstanceOf(UserException.class)
        .isNotInstanceOf(TrainingDivergedException.class)
        .hasMessageContaining("holds NaN or infinite numbers (tensor " + tensor)
        .hasMessageContaining("model.safetensors")
        .hasMessageNotContaining("learning_rate");
  }

  @Test
  void whereTheBaseIsAskedOrMerged() throws IOException {
    damage(base.resolve("model.safetensors"), "model.layers.1.mlp.up_proj.weight");
    try (Answers answers = new Answers(base, List.of(), Machine.of("cpu", "f32"))) {
      assertThatThrownBy(
              () -> answers.answer(Answers.Question.of("a"), 4, Sampling.greedy(), text -> {}))
          .isInstanceOf(UserException.class)
          .hasMessageContaining("logits are NaN or infinite");
    }
    LanguageMerge merge = new LanguageMerge(LlmBase.open(base), List.of());
    assertThatThrownBy(() -> merge.write(folder.resolve("merged"), "bf16"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("model.layers.1.mlp.up_proj.weight holds NaN or infinite numbers");
    assertThat(folder.resolve("merged")).doesNotExist();
  }

  @Test
  void inTheAdapterToStartFrom() throws IOException {
    Path adapter = train("first", false).orElseThrow();
    Path file = adapter.resolve("adapter_model.safetensors");
    damage(file, Safetensors.read(file).tensors().keySet().iterator().next());
    assertThatThrownBy(() -> train("second", false, "init_adapter=" + adapter))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("init_adapter " + adapter + " holds NaN");
  }

  /** The doctor judges the whole run, also after --resume and when nothing is left to do. */
  @Test
  void theDoctorKnowsWhatWasBefore() throws IOException {
    String[] settings = {"max_steps=40", "save_steps=36", "keep_checkpoints=5"};
    train("run", false, settings);
    Path log = folder.resolve("run/logs/train.log");
    String whole = verdict(Files.readString(log));
    long before = Files.size(log);
    train("run", true, settings);
    String again = Files.readString(log).substring((int) before);
    assertThat(again).contains("The run is finished: all its 40 steps are done");
    assertThat(verdict(again)).isEqualTo(whole);
    AtomicFolders.delete(folder.resolve("run/checkpoint-40"));
    before = Files.size(log);
    train("run", true, settings);
    again = Files.readString(log).substring((int) before);
    assertThat(again).contains("Resuming from").doesNotContain("Wait for at least");
    // The last four steps ran once more, at the speed of that moment.
    assertThat(withoutThroughput(verdict(again))).isEqualTo(withoutThroughput(whole));
  }

  private static String withoutThroughput(String verdict) {
    return verdict.replaceAll("doctor: throughput drop.*\n", "");
  }

  private static String verdict(String log) {
    return log.lines()
        .filter(line -> line.contains("doctor: ") && !line.contains("WARN"))
        .filter(line -> !line.contains("records of step"))
        .map(line -> line.substring(line.indexOf("doctor: ")))
        .reduce("", (a, b) -> a + b + "\n");
  }
}

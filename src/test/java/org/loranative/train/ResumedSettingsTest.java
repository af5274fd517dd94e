package org.loranative.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;
import org.loranative.config.Catalogue;
import org.loranative.config.ConfigReader;
import org.loranative.config.Key;
import org.loranative.config.Mark;
import org.loranative.config.TaskType;
import org.loranative.testing.TinyModel;
import org.loranative.track.Console;
import org.loranative.train.runs.TrainRun;

/** Settings that the catalogue says a resumed run must share are those that it is held to. */
class ResumedSettingsTest {
  /** Another value of each, for a run whose settings are {@link #RUN}'s. */
  private static final Map<String, String> OTHERS =
      new TreeMap<>(
          Map.ofEntries(
              Map.entry("base_model", "other"),
              Map.entry("metadata_path", "other.jsonl"),
              Map.entry("train_data_dir", "other.jsonl"),
              Map.entry("chat_template", "chatml"),
              Map.entry("template_kwargs", "{tone: dry}"),
              Map.entry("lora_method", "dora"),
              Map.entry("lokr_factor", "2"),
              Map.entry("lora_init", "pissa"),
              Map.entry("lora_plus_ratio", "4"),
              Map.entry("lora_rank", "4"),
              Map.entry("lora_targets", "[k_proj]"),
              Map.entry("blocks", "0"),
              Map.entry("modules_to_save", "[embed_tokens]"),
              Map.entry("add_tokens", "[<down>]"),
              Map.entry("optimizer", "lion"),
              Map.entry("ema_decay", "0.9"),
              Map.entry("seed", "7")));

  /** What a run has for another value of a key to mean something. */
  private static final Map<String, List<String>> RUN =
      Map.of(
          "lokr_factor",
          List.of("lora_method=lokr"),
          "add_tokens",
          List.of("modules_to_save=[embed_tokens]", "add_tokens=[<up>]"));

  private static final Set<String> PATHS = Set.of("base_model", "metadata_path", "train_data_dir");

  @TempDir private Path folder;

  @BeforeEach
  void prepare() throws IOException {
    TinyModel.write(folder.resolve("base"));
    Path weights = TinyModel.write(folder.resolve("other")).resolve("model.safetensors");
    byte[] bytes = Files.readAllBytes(weights);
    bytes[bytes.length - 2] ^= 1;
    Files.write(weights, bytes);
    for (String name : List.of("train.jsonl", "other.jsonl")) {
      List<String> lines = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        lines.add("{\"prompt\":\"what is " + i + "? \",\"completion\":\"" + name + "\"}");
      }
      Files.write(folder.resolve(name), lines);
    }
  }

  private void train(Path run, boolean resume, List<String> more) {
    List<String> settings =
        new ArrayList<>(
            List.of(
                "base_model=" + folder.resolve("base"),
                "output_dir=" + run,
                "batch_size=2",
                "max_steps=2",
                "lora_targets=[q_proj]",
                "save_steps=1",
                "threads=1",
                "device=cpu"));
    settings.addAll(more);
    try (TrainRun trained = new TrainRun(ConfigReader.read(Optional.empty(), settings))) {
      trained.train(
          resume,
          new Console(new PrintStream(new ByteArrayOutputStream()), false),
          new StopSignal());
    }
  }

  private static Set<String> marked() {
    Set<String> names = new TreeSet<>();
    for (Key key : Catalogue.keys()) {
      if (key.isFor(TaskType.LLM)
          && (key.has(Mark.LAYOUT) || key.has(Mark.SAME_VALUE) || key.has(Mark.SAME_CONTENT))) {
        names.add(key.name());
      }
    }
    return names;
  }

  @Test
  void noneIsLeftOut() {
    assertThat(OTHERS.keySet()).isEqualTo(marked());
  }

  @Test
  void anotherValueIsRefused() {
    OTHERS.forEach(
        (key, value) -> {
          List<String> settings = new ArrayList<>(RUN.getOrDefault(key, List.of()));
          String data = key.equals("train_data_dir") ? key : "metadata_path";
          settings.add(data + "=" + folder.resolve("train.jsonl"));
          Path run = folder.resolve("run-" + key);
          train(run, false, settings);
          boolean isPath = PATHS.contains(key);
          settings.add(key + "=" + (isPath ? folder.resolve(value) : value));
          assertThatThrownBy(() -> train(run, true, settings))
              .as(key)
              .isInstanceOf(UserException.class)
              .hasMessageContaining("checkpoint-2");
        });
  }
}

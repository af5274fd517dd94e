package org.loranative.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.config.ConfigReader;
import org.loranative.io.Safetensors;
import org.loranative.testing.TinyModel;
import org.loranative.track.Console;
import org.loranative.track.LayerLog;
import org.loranative.train.runs.TrainRun;

/** Looking at the layers of a whole run. */
class AnatomyTest {
  @TempDir Path folder;
  private Path base;
  private Path data;

  @BeforeEach
  void prepare() throws IOException {
    base = TinyModel.write(folder.resolve("base"));
    data = folder.resolve("train.jsonl");
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      lines.add("{\"prompt\": \"what is " + i + "\", \"completion\": \" it is " + i * i + "\"}");
    }
    Files.write(data, lines);
  }

  private Path train(String name, String... more) {
    Path output = folder.resolve(name);
    List<String> settings =
        new ArrayList<>(
            List.of(
                "base_model=" + base,
                "metadata_path=" + data,
                "output_dir=" + output,
                "batch_size=4",
                "max_steps=6",
                "learning_rate=0.01",
                "lora_rank=4",
                "save_steps=0",
                "threads=1"));
    settings.addAll(List.of(more));
    Console quiet = new Console(new PrintStream(new ByteArrayOutputStream()), false);
    try (TrainRun run = new TrainRun(ConfigReader.read(Optional.empty(), settings))) {
      run.train(false, quiet, new StopSignal());
    }
    return output.resolve("logs");
  }

  private static List<JsonNode> metrics(Path logs) throws IOException {
    List<JsonNode> all = new ArrayList<>();
    for (String line : Files.readAllLines(logs.resolve("metrics.jsonl"))) {
      all.add(new ObjectMapper().readTree(line));
    }
    return all;
  }

  @ParameterizedTest
  @ValueSource(strings = {"lora", "dora", "loha", "lokr"})
  void changesNothing(String method) throws IOException {
    String set = "lora_method=" + method;
    List<JsonNode> often = metrics(train("often", set, "eval_steps=1"));
    List<JsonNode> once = metrics(train("once", set));
    assertThat(often).hasSize(6);
    for (int i = 0; i < often.size(); i++) {
      assertThat(often.get(i).path("loss")).isEqualTo(once.get(i).path("loss"));
      assertThat(often.get(i).path("grad_norm")).isEqualTo(once.get(i).path("grad_norm"));
    }
    assertThat(often.get(2).has("change_median")).isTrue();
    assertThat(once.get(2).has("change_median")).isFalse();
  }

  /** Norms of gradients add up to the step's; weights are as large as their file says. */
  @Test
  void measuresWhatThereIs() throws IOException {
    Path logs = train("run", "eval_steps=2");
    List<LayerLog.At> all = LayerLog.read(logs);
    assertThat(all).extracting(LayerLog.At::step).containsExactly(2, 4, 6);
    for (LayerLog.At at : all) {
      double squares = at.layers().stream().mapToDouble(l -> l.gradNorm() * l.gradNorm()).sum();
      double step = metrics(logs).get(at.step() - 1).path("grad_norm").asDouble();
      assertThat(Math.sqrt(squares)).isCloseTo(step, offset(1e-4 * step));
    }
    LayerLog.Layer last =
        all.get(2).layers().stream()
            .filter(l -> l.layer().endsWith("1.self_attn.q_proj"))
            .findFirst()
            .orElseThrow();
    float[] weight =
        Safetensors.floats(
            Safetensors.read(base.resolve("model.safetensors"))
                .tensors()
                .get(last.layer() + ".weight"));
    double size = 0;
    for (float x : weight) {
      size += (double) x * x;
    }
    assertThat(last.relative())
        .isCloseTo((float) (last.change() / Math.sqrt(size)), offset(1e-4f * last.relative()));
    assertThat(last.parts()).containsOnlyKeys("lora_A", "lora_B");
    assertThat(last.singularValues()).hasSize(4).isSortedAccordingTo((x, y) -> Float.compare(y, x));
    assertThat(last.update()).isBetween(1e-4f, 0.1f);
  }
}

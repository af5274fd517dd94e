package org.loranative.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;
import org.loranative.config.ConfigReader;
import org.loranative.io.AtomicFolders;
import org.loranative.testing.TinyModel;
import org.loranative.track.Console;
import org.loranative.train.runs.TrainRun;

/** Whole runs of a tiny model: losses, resume, stop, budget, and everything a user gets wrong. */
class TrainRunTest {
  @TempDir Path folder;
  private Path base;
  private Path data;

  @BeforeEach
  void prepare() throws IOException {
    base = TinyModel.write(folder.resolve("base"));
    data = folder.resolve("train.jsonl");
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 23; i++) {
      lines.add(
          String.format(
              "{\"messages\":[{\"role\":\"user\",\"content\":\"what is %d\"},"
                  + "{\"role\":\"assistant\",\"content\":\"it is %s\"}]}",
              i, "very ".repeat(i % 5) + i));
    }
    Files.write(data, lines);
  }

  private final Console console = new Console(new PrintStream(new ByteArrayOutputStream()), false);

  private Optional<Path> train(String output, boolean resume, StopSignal stop, String... more) {
    List<String> settings =
        new ArrayList<>(
            List.of(
                "base_model=" + base,
                "metadata_path=" + data,
                "output_dir=" + folder.resolve(output),
                "batch_size=3",
                "epochs=3",
                "learning_rate=0.01",
                "lora_rank=4",
                "lora_dropout=0.1",
                "gradient_accumulation=2",
                "save_steps=3",
                "threads=2"));
    settings.addAll(List.of(more));
    try (TrainRun run = new TrainRun(ConfigReader.read(Optional.empty(), settings))) {
      return run.train(resume, console, stop);
    }
  }

  /** Step and loss of each line, as text: equal means equal to the bit. */
  private List<String> losses(String output) throws IOException {
    List<String> result = new ArrayList<>();
    for (String line : Files.readAllLines(folder.resolve(output).resolve("logs/metrics.jsonl"))) {
      JsonNode node = new ObjectMapper().readTree(line);
      result.add(node.path("step") + " " + node.path("loss") + " " + node.path("grad_norm"));
    }
    return result;
  }

  private byte[] adapter(String output) throws IOException {
    return Files.readAllBytes(folder.resolve(output).resolve("adapter/adapter_model.safetensors"));
  }

  @Test
  void learnsAndRepeatsItselfToTheBit() throws IOException {
    train("a", false, new StopSignal());
    train("b", false, new StopSignal());
    List<String> losses = losses("a");
    assertThat(losses).hasSize(12).isEqualTo(losses("b"));
    assertThat(adapter("a")).isEqualTo(adapter("b"));
    assertThat(loss(losses.get(11))).isLessThan(loss(losses.get(0)) - 0.3);
    assertThat(folder.resolve("a/checkpoint-12/optimizer.safetensors")).exists();
    assertThat(folder.resolve("a/checkpoint-3")).as("keep_checkpoints: 2").doesNotExist();
  }

  /** What is said before the run has its folder stands there too, each skipped record included. */
  @Test
  void theLogHasTheRunFromItsVeryBeginning() throws IOException {
    List<String> lines = new ArrayList<>(Files.readAllLines(data));
    for (int i = 0; i < 30; i++) {
      lines.add("{\"question\": " + i + "}");
    }
    Files.write(data, lines);
    train("log", false, new StopSignal(), "max_steps=1");
    String log = Files.readString(folder.resolve("log/logs/train.log"));
    assertThat(log.lines().filter(l -> l.contains("skipped"))).hasSize(30);
    assertThat(log)
        .containsSubsequence("device: cpu", "training data: 23 examples", "LoRA: rank 4", "memory:")
        .contains("Try it: lora-native generate --base " + base + " --adapter ")
        .containsPattern("memory: .* planned; the process took [1-9][0-9.]* [MG]B at most")
        .doesNotContain("--raw");
    Files.writeString(data, "{\"text\": \"one two three\"}\n");
    train("log2", false, new StopSignal(), "max_steps=1");
    assertThat(folder.resolve("log2/logs/train.log")).content().contains("--prompt \"…\" --raw");
    assertThat(Files.readString(folder.resolve("log/logs/train.log"))).isEqualTo(log);
  }

  @Test
  void aBaseThatIsNotHereIsToldWhereToGet() {
    assertThatThrownBy(
            () -> train("x", false, new StopSignal(), "base_model=HuggingFaceTB/SmolLM2-135M"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("base_model HuggingFaceTB/SmolLM2-135M is no folder here")
        .hasMessageContaining("hf download HuggingFaceTB/SmolLM2-135M --local-dir");
    assertThatThrownBy(() -> train("x", false, new StopSignal(), "base_model=models/none.gguf"))
        .hasMessageContaining("base_model models/none.gguf does not exist; name a Hugging Face");
  }

  private static double loss(String line) {
    return Double.parseDouble(line.split(" ")[1]);
  }

  @Test
  void resumesFromAnyCheckpointToTheBit() throws IOException {
    train("whole", false, new StopSignal());
    train("cut", false, new StopSignal());
    // As after a kill: the newest checkpoint gone, half a later one, log lines too many.
    AtomicFolders.delete(folder.resolve("cut/checkpoint-12"));
    AtomicFolders.delete(folder.resolve("cut/adapter"));
    Files.createDirectories(folder.resolve("cut/checkpoint-12.partial"));
    train("cut", true, new StopSignal());
    assertThat(losses("cut")).isEqualTo(losses("whole"));
    assertThat(adapter("cut")).isEqualTo(adapter("whole"));
    assertThat(folder.resolve("cut/checkpoint-12.partial")).doesNotExist();
  }

  @Test
  void stopsOnTheSignalAndGoesOn() throws IOException {
    train("whole", false, new StopSignal());
    StopSignal stop = new StopSignal();
    stop.set();
    assertThat(train("stopped", false, stop)).isEmpty();
    assertThat(losses("stopped")).hasSize(1);
    assertThat(folder.resolve("stopped/checkpoint-1")).exists();
    train("stopped", true, new StopSignal());
    assertThat(losses("stopped")).isEqualTo(losses("whole"));
    assertThat(adapter("stopped")).isEqualTo(adapter("whole"));
  }

  @Test
  void aSmallerBudgetRecomputesAndGivesTheSameBits() throws IOException {
    train("full", false, new StopSignal());
    long most = plannedBytes("");
    long least = most;
    for (long budget = most - 1000; ; budget -= most / 50) {
      try {
        least = plannedBytes("memory_budget=" + budget);
        assertThat(least).isLessThanOrEqualTo(budget);
      } catch (UserException e) {
        assertThat(e.getMessage()).contains("memory_budget").contains("Largest at the peak");
        break;
      }
    }
    assertThat(least).isLessThan(most);
    train("small", false, new StopSignal(), "memory_budget=" + least);
    assertThat(losses("small")).isEqualTo(losses("full"));
    assertThat(adapter("small")).isEqualTo(adapter("full"));
  }

  private long plannedBytes(String setting) {
    List<String> settings =
        new ArrayList<>(
            List.of(
                "base_model=" + base,
                "metadata_path=" + data,
                "output_dir=" + folder.resolve("x"),
                "batch_size=3",
                "epochs=3",
                "lora_rank=4",
                "lora_dropout=0.1",
                "gradient_accumulation=2",
                "threads=2"));
    if (!setting.isEmpty()) {
      settings.add(setting);
    }
    try (TrainRun run = new TrainRun(ConfigReader.read(Optional.empty(), settings))) {
      String total =
          run.describe(false).lines().filter(l -> l.startsWith("total")).findFirst().orElseThrow();
      return Long.parseLong(total.split("\\s+")[1]);
    }
  }

  @Test
  void splitsOfABatchGiveTheSameStep() throws IOException {
    train(
        "one",
        false,
        new StopSignal(),
        "batch_size=6",
        "gradient_accumulation=1",
        "lora_dropout=0",
        "max_steps=4");
    train(
        "six",
        false,
        new StopSignal(),
        "batch_size=1",
        "gradient_accumulation=6",
        "lora_dropout=0",
        "max_steps=4");
    List<String> a = losses("one");
    List<String> b = losses("six");
    for (int i = 0; i < 4; i++) {
      assertThat(loss(b.get(i)))
          .isCloseTo(loss(a.get(i)), org.assertj.core.data.Offset.offset(1e-4));
    }
  }

  @Test
  void continuesFromAnAdapter() throws IOException {
    Path first = train("first", false, new StopSignal()).orElseThrow();
    train("second", false, new StopSignal(), "init_adapter=" + first, "lora_dropout=0");
    double end = loss(losses("first").get(11));
    assertThat(loss(losses("second").get(0))).isLessThan(end + 1.0);
    assertThatThrownBy(
            () -> train("third", false, new StopSignal(), "init_adapter=" + first, "lora_rank=2"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("lora_rank");
    assertThat(folder.resolve("third")).as("refused, so there is no run").doesNotExist();
    Files.writeString(data, "{\"nothing\": 1}\n");
    assertThatThrownBy(
            () -> train("third", false, new StopSignal(), "init_adapter=" + first, "lora_rank=2"))
        .as("refused before the data are read")
        .hasMessageContaining("lora_rank");
  }

  /** A process that is killed while it loads leaves no run, so nothing is to be resumed there. */
  @Test
  void aRunThatNeverBeganGivesItsFolderBack() throws IOException {
    Files.createDirectories(folder.resolve("killed/logs"));
    Files.createFile(folder.resolve("killed/.lock"));
    Files.writeString(folder.resolve("killed/logs/train.log"), "device: cpu\n");
    assertThat(train("killed", false, new StopSignal(), "max_steps=1")).isPresent();
  }

  @Test
  void packingValidationAndSamples() throws IOException {
    train(
        "packed",
        false,
        new StopSignal(),
        "packing=true",
        "max_length=300",
        "validation_fraction=0.2",
        "eval_steps=2",
        "sample_steps=2",
        "sample_prompts=[what is 3]",
        "sample_max_tokens=5");
    String metrics = Files.readString(folder.resolve("packed/logs/metrics.jsonl"));
    assertThat(metrics).contains("val_loss");
  }

  @Tag("slow")
  @Test
  void quantizedRunsResumeToTheBitAndAgreeOnDevices() throws IOException {
    Files.write(data, Files.readAllLines(data).subList(0, 4)); // the emulator is slow
    String[] small = {
      "quantize=nf4",
      "optimizer=adamw8bit",
      "max_steps=4",
      "lora_dropout=0",
      "batch_size=1",
      "gradient_accumulation=1"
    };
    train("whole", false, new StopSignal(), small);
    assertThat(folder.resolve("whole/logs/train.log")).content().contains("in blocks: 18 NF4 of");
    StopSignal stop = new StopSignal();
    stop.set();
    assertThat(train("cut", false, stop, small)).isEmpty();
    train("cut", true, new StopSignal(), small);
    assertThat(losses("cut")).isEqualTo(losses("whole"));
    assertThat(adapter("cut")).isEqualTo(adapter("whole"));

    List<String> onCard = new ArrayList<>(List.of(small));
    onCard.add("device=cuda-emu");
    train("card", false, new StopSignal(), onCard.toArray(String[]::new));
    for (int i = 0; i < losses("whole").size(); i++) {
      assertThat(loss(losses("card").get(i)))
          .isCloseTo(loss(losses("whole").get(i)), org.assertj.core.data.Offset.offset(2e-4));
    }
    assertThatThrownBy(() -> train("whole", true, new StopSignal(), "quantize=nf4", "epochs=2"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("was written with optimizer adamw8bit");
  }

  @Test
  void usedFoldersAreNotOverwritten() throws IOException {
    train("used", false, new StopSignal());
    byte[] before = adapter("used");
    assertThatThrownBy(() -> train("used", false, new StopSignal()))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("--resume");
    assertThat(adapter("used")).isEqualTo(before);
  }

  @Test
  void twoRunsDoNotShareAFolder() throws IOException {
    try (RunFolder other = new RunFolder(folder.resolve("shared"), false)) {
      assertThat(other.logs()).exists();
      assertThatThrownBy(() -> train("shared", true, new StopSignal()))
          .isInstanceOf(UserException.class)
          .hasMessageContaining("Another process is training in output_dir");
    }
    train("shared", true, new StopSignal());
    assertThat(losses("shared")).hasSize(12);
  }

  @Test
  void otherDataOrRankIsNotResumed() throws IOException {
    train("r", false, new StopSignal());
    assertThatThrownBy(() -> train("r", true, new StopSignal(), "lora_rank=8"))
        .hasMessageContaining("does not fit this configuration");
    assertThatThrownBy(() -> train("r", true, new StopSignal(), "seed=1"))
        .hasMessageContaining("resumed with its own seed");
    Files.writeString(data, Files.readString(data).replace("it is", "it was"));
    assertThatThrownBy(() -> train("r", true, new StopSignal()))
        .hasMessageContaining("other training data");
  }

  @Test
  void divergenceStopsAndNamesTheRecords() throws IOException {
    assertThatThrownBy(
            () ->
                train(
                    "nan",
                    false,
                    new StopSignal(),
                    "learning_rate=1e30",
                    "max_grad_norm=0",
                    "lr_schedule=constant",
                    "save_steps=1"))
        .isInstanceOf(TrainingDivergedException.class)
        .hasMessageContaining("train.jsonl line ")
        .hasMessageContaining("halve learning_rate")
        .hasMessageContaining("max_grad_norm: 1.0");
    assertThat(folder.resolve("nan/checkpoint-1")).exists();
  }

  @Test
  void wrongInputsAreNamed() throws IOException {
    assertThatThrownBy(() -> train("w", false, new StopSignal(), "base_model=nowhere"))
        .hasMessageContaining("nowhere does not exist");
    assertThatThrownBy(() -> train("w", false, new StopSignal(), "base_model=models/emoji-sd"))
        .hasMessage(
            "models/emoji-sd is a diffusion model (model_index.json); task_type: sd trains those,"
                + " and sample draws with them.");
    assertThatThrownBy(() -> train("w", false, new StopSignal(), "metadata_path=none.jsonl"))
        .hasMessageContaining("none.jsonl does not exist");
    assertThatThrownBy(() -> train("w", false, new StopSignal(), "lora_targets=[zz_proj]"))
        .hasMessageContaining("no layer \"zz_proj\"")
        .hasMessageContaining("q_proj");
    Files.writeString(data, "{\"nothing\": 1}\n");
    assertThatThrownBy(() -> train("w", false, new StopSignal()))
        .hasMessageContaining("No record of");
    Files.writeString(data, "");
    assertThatThrownBy(() -> train("w", false, new StopSignal()))
        .hasMessage(data + " holds no record.");
    Files.writeString(data, "{\"prompt\": \"a\", \"completion\": \"b\"}\n");
    Path other = Files.writeString(folder.resolve("other.jsonl"), "{\"nothing\": 1}\n");
    assertThatThrownBy(() -> train("w", false, new StopSignal(), "validation_path=" + other))
        .hasMessageContaining("No record of " + other + " can be measured");
    ObjectMapper json = new ObjectMapper();
    ObjectNode config = (ObjectNode) json.readTree(base.resolve("config.json").toFile());
    json.writeValue(base.resolve("config.json").toFile(), config.deepCopy().put("hidden_size", 32));
    assertThatThrownBy(() -> train("w", false, new StopSignal()))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("model.embed_tokens.weight is");
    config.putArray("architectures").add("RwkvForCausalLM");
    json.writeValue(base.resolve("config.json").toFile(), config);
    assertThatThrownBy(() -> train("w", false, new StopSignal()))
        .hasMessageContaining("RwkvForCausalLM is not supported")
        .hasMessageContaining("LlamaForCausalLM");
    assertThat(folder.resolve("w")).as("nothing was written").doesNotExist();
  }
}

package org.loranative.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.UserException;
import org.loranative.config.ConfigReader;
import org.loranative.io.AtomicFolders;
import org.loranative.io.Checksums;
import org.loranative.io.Safetensors;
import org.loranative.testing.Golden;
import org.loranative.testing.TinyModel;
import org.loranative.track.Console;
import org.loranative.train.runs.TrainRun;

/** {@code --resume} on damaged checkpoints, other bases and other settings. */
class ResumeTest {
  @TempDir private Path folder;
  private Path run;
  private final Console console = new Console(new PrintStream(new ByteArrayOutputStream()), false);

  @BeforeEach
  void prepare() throws IOException {
    run = folder.resolve("run");
    TinyModel.write(folder.resolve("base"));
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      lines.add("{\"prompt\":\"what is " + i + "? \",\"completion\":\"it is " + (7 - i) + "\"}");
    }
    Files.write(folder.resolve("train.jsonl"), lines);
  }

  private void train(boolean resume, String... more) {
    List<String> settings =
        new ArrayList<>(
            List.of(
                "base_model=" + folder.resolve("base"),
                "metadata_path=" + folder.resolve("train.jsonl"),
                "output_dir=" + run,
                "batch_size=2",
                "max_steps=6",
                "lora_targets=[q_proj]",
                "save_steps=2",
                "keep_checkpoints=5",
                "threads=1",
                "device=cpu"));
    settings.addAll(List.of(more));
    try (TrainRun trained = new TrainRun(ConfigReader.read(Optional.empty(), settings))) {
      trained.train(resume, console, new StopSignal());
    }
  }

  private String log() throws IOException {
    return Files.readString(run.resolve("logs/train.log"));
  }

  private byte[] adapter() throws IOException {
    return Files.readAllBytes(run.resolve("adapter/adapter_model.safetensors"));
  }

  /** Every kind of adapter likewise, and none goes on with another's checkpoint. */
  @ParameterizedTest
  @ValueSource(strings = {"dora", "loha", "lokr"})
  void resumesEveryKindOfAdapter(String method) throws IOException {
    String[] settings = {
      "lora_method=" + method, "sample_steps=3", "sample_prompts=[\"what is 3?\"]"
    };
    train(false, settings);
    byte[] whole = adapter();
    AtomicFolders.delete(run.resolve("checkpoint-6"));
    AtomicFolders.delete(run.resolve("checkpoint-4"));
    AtomicFolders.delete(run.resolve("adapter"));
    train(true, settings);
    assertThat(log()).contains("Resuming from " + run.resolve("checkpoint-2"));
    assertThat(adapter()).isEqualTo(whole);
    assertThatThrownBy(() -> train(true, "lora_method=lora"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("does not fit this configuration: lora_method was " + method)
        .hasMessageContaining(" and is lora");
    // The finished adapter starts another run.
    run = folder.resolve("second");
    train(false, "lora_method=" + method, "init_adapter=" + folder.resolve("run/adapter"));
    assertThat(adapter()).isNotEqualTo(whole);
  }

  /** Layers of a language model by number. */
  @Test
  void someBlocksAreAdapted() throws IOException {
    train(false, "blocks=1", "lora_targets=[q_proj, down_proj]");
    assertThat(new Golden(run.resolve("adapter/adapter_model.safetensors")).tensors().keySet())
        .hasSize(4)
        .allMatch(name -> name.contains(".layers.1."));
    assertThatThrownBy(() -> train(true, "blocks=0", "lora_targets=[q_proj, down_proj]"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("does not fit this configuration");
    assertThatThrownBy(() -> train(false, "blocks=9-12"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("blocks is 9-12, but this base has");
  }

  /** Starts that are parts of the weight: no optimizer moves what is taken off again. */
  @ParameterizedTest
  @CsvSource({
    "gaussian, adamw",
    "pissa, adamw",
    "pissa, adamw8bit",
    "pissa, lion",
    "olora, schedule_free_adamw",
    "olora, adafactor",
    "olora, came"
  })
  void resumesFromEveryStart(String init, String optimizer) throws IOException {
    String[] settings = {
      "lora_init=" + init,
      "optimizer=" + optimizer,
      "weight_decay=0.1",
      "lora_plus_ratio=2",
      "quantize=nf4"
    };
    train(false, settings);
    byte[] whole = adapter();
    if (!init.equals("gaussian")) {
      assertThat(start(run.resolve("adapter"))).isEqualTo(start(run.resolve("checkpoint-2")));
    }
    AtomicFolders.delete(run.resolve("checkpoint-6"));
    AtomicFolders.delete(run.resolve("adapter"));
    train(true, settings);
    assertThat(adapter()).isEqualTo(whole);
    assertThatThrownBy(() -> train(true, "optimizer=" + optimizer, "quantize=nf4"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("does not fit this configuration");
  }

  /** The second halves of all A, which hold what the first began as. */
  private static List<Float> start(Path adapter) {
    List<Float> all = new ArrayList<>();
    Safetensors.read(adapter.resolve("adapter_model.safetensors"))
        .tensors()
        .forEach(
            (name, tensor) -> {
              if (name.endsWith("lora_A.weight")) {
                float[] a = Safetensors.floats(tensor);
                for (int i = a.length / 2; i < a.length; i++) {
                  all.add(a[i]);
                }
              }
            });
    assertThat(all).isNotEmpty();
    return all;
  }

  @Test
  void prodigyHasOneRateForAll() {
    assertThatThrownBy(() -> train(false, "optimizer=prodigy", "lora_plus_ratio=4"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("lora_plus_ratio is 4, but must be 1 with optimizer prodigy");
    assertThatThrownBy(
            () ->
                train(
                    false,
                    "optimizer=prodigy",
                    "lora_targets=[{target: q_proj, learning_rate: 0.1}]"))
        .hasMessageContaining("q_proj: learning_rate is 0.1, but must be left out");
  }

  /** Every optimizer: from a checkpoint in the middle a run ends with the same bytes. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "adamw",
        "adamw8bit",
        "lion",
        "schedule_free_adamw",
        "prodigy",
        "adafactor",
        "came"
      })
  void resumesToTheSameBytes(String optimizer) throws IOException {
    String[] settings = {
      "optimizer=" + optimizer,
      "lora_plus_ratio=" + (optimizer.equals("prodigy") ? 1 : 4),
      "gradient_accumulation=2",
      "lora_targets=[q_proj, v_proj]",
      "validation_fraction=0.3",
      "eval_steps=1"
    };
    train(false, settings);
    byte[] whole = adapter();
    byte[] state = Files.readAllBytes(run.resolve("checkpoint-6/optimizer.safetensors"));
    AtomicFolders.delete(run.resolve("checkpoint-6"));
    AtomicFolders.delete(run.resolve("checkpoint-4"));
    AtomicFolders.delete(run.resolve("adapter"));
    train(true, settings);
    assertThat(log()).contains("Resuming from " + run.resolve("checkpoint-2"));
    assertThat(adapter()).isEqualTo(whole);
    assertThat(run.resolve("checkpoint-6/optimizer.safetensors")).hasBinaryContent(state);
    settings[0] = "optimizer=" + (optimizer.equals("lion") ? "adamw" : "lion");
    assertThatThrownBy(() -> train(true, settings))
        .hasMessageContaining("was written with optimizer " + optimizer + ", whose state");
  }

  /** Before names were written, slots alone told optimizers apart. */
  @Test
  void optimizersAreToldApartByNameAndBySlots() throws IOException {
    train(false);
    Path state = run.resolve("checkpoint-6/trainer_state.json");
    String named = Files.readString(state);
    assertThat(named).contains("\"optimizer\" : \"adamw\"");
    // One with slots of the same names and sizes.
    Files.writeString(state, named.replace("\"adamw\"", "\"adamw_of_tomorrow\""));
    Checksums.write(state.getParent());
    assertThatThrownBy(() -> train(true))
        .hasMessageContaining("optimizer adamw_of_tomorrow, whose state adamw cannot go on from");
    Files.writeString(state, named.replaceAll("\"optimizer\" :.*\n", ""));
    Checksums.write(state.getParent());
    assertThatThrownBy(() -> train(true, "optimizer=lion"))
        .hasMessageContaining("does not fit this configuration");
  }

  /** What is measured and exported is not what trains, and training does not notice. */
  @Test
  void measuringAtOtherNumbersChangesNothing() throws IOException {
    String[] settings = {
      "optimizer=schedule_free_adamw",
      "learning_rate=0.01",
      "validation_fraction=0.3",
      "eval_steps=1"
    };
    train(false, settings);
    byte[] measured = adapter();
    byte[] exported = Files.readAllBytes(run.resolve("checkpoint-6/adapter_model.safetensors"));
    Golden state = new Golden(run.resolve("checkpoint-6/optimizer.safetensors"));
    float[] y = state.floats("params");
    float[] z = state.floats("z");
    assertThat(exported).isEqualTo(measured);
    Golden adapter = new Golden(run.resolve("adapter/adapter_model.safetensors"));
    float[] a = adapter.floats("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight");
    for (int i = 0; i < a.length; i++) {
      assertThat((double) a[i]).isCloseTo(y[i] + (1 - 1 / 0.9) * (z[i] - y[i]), offset(1e-6));
    }
    assertThat(a).isNotEqualTo(Arrays.copyOf(y, a.length));
    AtomicFolders.delete(run);
    settings[3] = "eval_steps=6";
    train(false, settings);
    assertThat(adapter()).isEqualTo(measured);
  }

  /** Measuring it or not, resumed or not, a run ends with the same average, which it exports. */
  @ParameterizedTest
  @ValueSource(strings = {"adamw", "adamw8bit"})
  void theAverageOverStepsIsMeasuredAndExported(String optimizer) throws IOException {
    String[] settings = {
      "optimizer=" + optimizer,
      "ema_decay=0.3",
      "learning_rate=0.01",
      "validation_fraction=0.3",
      "eval_steps=1"
    };
    train(false, settings);
    byte[] whole = adapter();
    assertThat(Files.readAllBytes(run.resolve("checkpoint-6/adapter_model.safetensors")))
        .isEqualTo(whole);
    Golden state = new Golden(run.resolve("checkpoint-6/optimizer.safetensors"));
    float[] ema = state.floats("ema");
    Golden adapter = new Golden(run.resolve("adapter/adapter_model.safetensors"));
    float[] a = adapter.floats("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight");
    assertThat(a).isEqualTo(Arrays.copyOf(ema, a.length));
    assertThat(a).isNotEqualTo(Arrays.copyOf(state.floats("params"), a.length));
    AtomicFolders.delete(run.resolve("checkpoint-6"));
    AtomicFolders.delete(run.resolve("adapter"));
    settings[4] = "eval_steps=6";
    train(true, settings);
    assertThat(adapter()).isEqualTo(whole);
    settings[1] = "ema_decay=0";
    assertThatThrownBy(() -> train(true, settings))
        .hasMessageContaining(
            "checkpoint-6 does not fit this configuration: ema_decay was 0.3 and is 0.0. Set it as"
                + " it was, or start a new output_dir.");
    assertThatThrownBy(() -> train(false, "optimizer=schedule_free_adamw", "ema_decay=0.9"))
        .hasMessageContaining("ema_decay is 0.9, but must be 0 with optimizer schedule_free_adamw");
  }

  /** Zeros where numbers were, another step, a missing file, hostile names: each is passed over. */
  @Test
  void damagedCheckpointsArePassedOver() throws IOException {
    train(false);
    byte[] whole = adapter();
    Path optimizer = run.resolve("checkpoint-6/optimizer.safetensors");
    try (FileChannel file = FileChannel.open(optimizer, StandardOpenOption.WRITE)) {
      int half = (int) file.size() / 2;
      file.write(ByteBuffer.allocate(half), file.size() - half);
    }
    Path state = run.resolve("checkpoint-4/trainer_state.json");
    Files.writeString(state, Files.readString(state).replace("\"step\" : 4", "\"step\" : 5"));
    Files.createDirectories(run.resolve("checkpoint-99999999999"));
    Files.createDirectories(run.resolve("checkpoint-007"));
    Files.writeString(run.resolve("checkpoint-8"), "a file");
    Path metrics = run.resolve("logs/metrics.jsonl");
    Files.write(metrics, new byte[] {(byte) 0xff, (byte) 0xc0, '\n'}, StandardOpenOption.APPEND);

    train(true);
    assertThat(log())
        .contains("checkpoint-6 is damaged: optimizer.safetensors is not as it was written")
        .contains("checkpoint-4 is damaged: trainer_state.json is not as it was written")
        .contains("is now called checkpoint-6.damaged")
        .contains("Resuming from " + run.resolve("checkpoint-2"));
    assertThat(adapter()).isEqualTo(whole);
    assertThat(Files.readAllLines(metrics)).hasSize(6);
    assertThat(run.resolve("checkpoint-4.damaged")).exists();
    assertThat(Checksums.problem(run.resolve("checkpoint-6"))).isEmpty();
  }

  /** Also where somebody made the checksums fit, or nothing is whole. */
  @Test
  void hostileStatesAreRefused() throws IOException {
    train(false, "max_steps=2");
    Path state = run.resolve("checkpoint-2/trainer_state.json");
    String good = Files.readString(state);
    for (String bad :
        List.of(
            good.replace("\"step\" : 2", "\"step\" : -2"),
            good.replace("\"step\" : 2", "\"step\" : 99999999999"),
            good.replace("\"loss_scale\" : 1.0", "\"loss_scale\" : -1e300"),
            good.replace("\"lr_factor\" : 1.0", "\"lr_factor\" : 1e300"),
            "[]",
            "\u0000")) {
      assertThat(bad).isNotEqualTo(good);
      Files.writeString(state, bad);
      Checksums.write(state.getParent());
      assertThatThrownBy(() -> train(true))
          .isInstanceOf(UserException.class)
          .hasMessageContaining("holds no whole checkpoint");
    }
    Files.write(state.resolveSibling("SHA256SUMS"), "ÿ../x".getBytes(StandardCharsets.UTF_16));
    assertThatThrownBy(() -> train(true)).hasMessageContaining("holds no whole checkpoint");
  }

  /** What is refused changes nothing: {@code runs list} shows the run as it was. */
  @Test
  void aRefusedResumeLeavesTheFolderAsItIs() throws IOException {
    train(false);
    String config = Files.readString(run.resolve("config.yaml"));
    String metrics = Files.readString(run.resolve("logs/metrics.jsonl"));
    assertThatThrownBy(() -> train(true, "seed=7")).hasMessageContaining("its own seed");
    assertThatThrownBy(() -> train(true, "lora_targets=[o_proj]"))
        .as("as many numbers, on other layers")
        .hasMessageContaining("does not fit this configuration");
    assertThat(Files.readString(run.resolve("config.yaml"))).isEqualTo(config);
    assertThat(Files.readString(run.resolve("logs/metrics.jsonl"))).isEqualTo(metrics);
    assertThat(run.resolve("checkpoint-6")).exists();
  }

  @Test
  void anotherBaseOfTheSameShapesIsRefused() throws IOException {
    train(false, "max_steps=2");
    Path weights = folder.resolve("base/model.safetensors");
    byte[] bytes = Files.readAllBytes(weights);
    int header = (int) ByteBuffer.wrap(bytes).order(java.nio.ByteOrder.LITTLE_ENDIAN).getLong();
    bytes[8 + header + 2] ^= 1; // in the first number of the first tensor
    Files.write(weights, bytes);
    assertThatThrownBy(() -> train(true)).hasMessageContaining("written with another base_model");
    AtomicFolders.delete(run);
    train(false, "max_steps=2");
  }

  /** As versions before checksums wrote them: no SHA256SUMS, no hashes of base and layers. */
  @Test
  void checkpointsOfOlderVersionsAreResumedFrom() throws IOException {
    train(false);
    byte[] whole = adapter();
    String metrics = Files.readString(run.resolve("logs/metrics.jsonl"));
    for (int step : new int[] {4, 6}) {
      Path state = run.resolve("checkpoint-" + step + "/trainer_state.json");
      Files.delete(state.resolveSibling("SHA256SUMS"));
      String older = "\"(base_sha256|layers_sha256|rollback_(from|to))\" :.*\n";
      Files.writeString(state, Files.readString(state).replaceAll(older, ""));
    }
    Path cut = run.resolve("checkpoint-6/optimizer.safetensors");
    Files.write(cut, Arrays.copyOf(Files.readAllBytes(cut), 500));

    train(true);
    assertThat(log())
        .contains("checkpoint-6 is damaged")
        .contains("checkpoint-4 was written before checksums; it is not checked.")
        .contains("Resuming from " + run.resolve("checkpoint-4"));
    assertThat(adapter()).isEqualTo(whole);
    assertThat(Files.readAllLines(run.resolve("logs/metrics.jsonl")))
        .hasSameSizeAs(metrics.lines().toList());
  }

  /** A lost SHA256SUMS of this version is damage all the same. */
  @Test
  void lostChecksumsAreDamage() throws IOException {
    train(false, "max_steps=2");
    Files.delete(run.resolve("checkpoint-2/SHA256SUMS"));
    assertThatThrownBy(() -> train(true)).hasMessageContaining("holds no whole checkpoint");
    assertThat(log()).contains("checkpoint-2 is damaged: it has no SHA256SUMS");
  }
}

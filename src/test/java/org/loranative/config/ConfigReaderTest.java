package org.loranative.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.loranative.UserException;

/** Keys, types, defaults, overrides; every mistake in a sentence with its line. */
class ConfigReaderTest {
  @TempDir Path folder;

  private TrainConfig read(String yaml, String... overrides) throws IOException {
    Path file = folder.resolve("run.yaml");
    Files.writeString(file, yaml);
    return ConfigReader.read(Optional.of(file), List.of(overrides));
  }

  @Test
  void encodingsHaveJavasNamesAndPythons() {
    for (String name : List.of("latin-1", "latin_1", "iso8859-1", "utf_8", "shift-jis", "GBK")) {
      assertThat(CharsetName.find(name)).as(name).isPresent();
    }
    assertThat(CharsetName.find("latin-1").orElseThrow()).isEqualTo(StandardCharsets.ISO_8859_1);
    assertThat(CharsetName.find("shift-jis").orElseThrow().name()).isEqualTo("Shift_JIS");
    for (String name : List.of("", "kitten", "\0", "a b")) {
      assertThat(CharsetName.find(name)).as(name).isEmpty();
    }
  }

  @Test
  void aTextIsSetWhateverItHolds() {
    for (String odd : List.of("a: b # c", "[x]", "\"q\" \\ é", "true", "")) {
      assertThat(
              ConfigReader.read(Optional.empty(), List.of(ConfigReader.override("output_dir", odd)))
                  .outputDir())
          .isEqualTo(odd);
    }
  }

  @Test
  void readsValuesDefaultsAndOverrides() throws IOException {
    TrainConfig c =
        read(
            "# comment\ntask_type: text-generation\nlora_rank: 16\nlearning_rate: 1e-4\n"
                + "lora_targets: [q_proj, v_proj]\nadam_beta1: 0.8\n",
            "batch_size=2",
            "lora_targets=[k_proj]",
            "packing=true");
    assertThat(c.taskType()).isEqualTo("llm");
    assertThat(c.loraRank()).isEqualTo(16);
    assertThat(c.loraAlpha()).as("alpha defaults to rank").isEqualTo(16);
    assertThat(c.learningRate()).isEqualTo(1e-4);
    assertThat(c.adamBeta1()).isEqualTo(0.8);
    assertThat(c.loraTargets()).containsExactly(LoraTarget.named("k_proj"));
    assertThat(c.batchSize()).isEqualTo(2);
    assertThat(c.packing()).isTrue();
    assertThat(c.maxGradNorm()).isEqualTo(1.0);
    assertThat(ConfigReader.read(Optional.empty(), List.of("lora_rank=4")).loraRank()).isEqualTo(4);
  }

  @Test
  void defaultsFollowTheOptimizer() throws IOException {
    assertThat(read("optimizer: lion").learningRate()).isEqualTo(5e-5);
    assertThat(read("optimizer: lion").adamBeta2()).isEqualTo(0.99);
    assertThat(read("optimizer: lion\ntask_type: sd").learningRate()).isEqualTo(2.5e-5);
    TrainConfig free = read("optimizer: schedule_free_adamw");
    assertThat(free.lrSchedule()).isEqualTo("constant");
    assertThat(read(ConfigReader.toYaml(free))).isEqualTo(free);
    assertThatThrownBy(() -> read("optimizer: schedule_free_adamw\nlr_schedule: cosine"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("line 2: lr_schedule is cosine, but must be constant or")
        .hasMessageContaining("averages over steps instead of lowering the learning rate");
  }

  @ParameterizedTest
  @CsvSource({
    "lion, adam_epsilon, 1e-7",
    "adafactor, adam_beta1, 0.8",
    "adafactor, adam_beta2, 0.99",
    "came, adam_epsilon, 1e-7"
  })
  void aKeyThatTheOptimizerIgnoresIsRefused(String optimizer, String key, String value)
      throws IOException {
    TrainConfig c = read("optimizer: " + optimizer);
    assertThat(read(ConfigReader.toYaml(c))).isEqualTo(c);
    assertThatThrownBy(() -> read("optimizer: " + optimizer + "\n" + key + ": " + value))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("line 2: " + key + " means nothing to optimizer " + optimizer);
  }

  @Test
  void resolvedConfigReadsBackTheSame() throws IOException {
    TrainConfig c =
        read("base_model: \"a: b\"\nlearning_rate: 0.00002\nsample_prompts: [x, 'y']\n");
    assertThat(read(ConfigReader.toYaml(c))).isEqualTo(c);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "lora_rnk: 8 | line 1: lora_rnk is not a known key. Did you mean \"lora_rank\"?",
        "lora_rank: many | line 1: lora_rank is \"many\", but must be a whole number.",
        "lora_rank: 2.5 | line 1: lora_rank is 2.5, but must be a whole number.",
        "lora_rank: 0 | line 1: lora_rank is 0, but must be between 1 and 4096.",
        "learning_rate: fast | learning_rate is \"fast\", but must be a number.",
        "learning_rate: -1 | learning_rate is -1, but must be greater than 0.",
        "packing: maybe | packing is \"maybe\", but must be true or false.",
        "lora_targets: {a: 1} | lora_targets is {\"a\":1}, but must be a list",
        "compute_dtype: f64 | compute_dtype is f64, but must be one of f32, bf16, f16.",
        "task_type: music | task_type is music, but must be one of",
        "memory_budget: lots | memory_budget is lots, but must be a size such as 6GB",
        "sample_steps: 5 | sample_steps is set but sample_prompts is empty",
        "base_model: \"a\\0b\" | line 1: base_model holds a NUL character",
        "output_dir: \"\\0\" | line 1: output_dir holds a NUL character",
        "sample_prompts: [a, \"b\\0\"] | line 1: sample_prompts holds a NUL character",
        "'a: b: c' | line 1 is not valid YAML",
        "just text | must hold lines of the form",
      })
  void mistakesAreNamed(String yaml, String message) {
    assertThatThrownBy(() -> read(yaml))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(message);
  }

  @Test
  void overridesAreNamedToo() {
    assertThatThrownBy(() -> read("lora_rank: 4\n", "lora_rank=x"))
        .hasMessage("--set lora_rank is \"x\", but must be a whole number.");
    assertThatThrownBy(() -> read("", "lora_rank")).hasMessageContaining("key=value");
    assertThatThrownBy(() -> read("lora_rank: 4\nlora_rank: 5\n")).hasMessageContaining("line 2");
    assertThatThrownBy(() -> ConfigReader.read(Optional.of(folder.resolve("no")), List.of()))
        .hasMessageContaining("does not exist");
    assertThatThrownBy(() -> read("lora_rank: 4\n").requireComplete())
        .hasMessageContaining("base_model is missing");
  }

  @ParameterizedTest
  @CsvSource({"6GB,6000000000", "1.5 GiB,1610612736", "500MB,500000000", "1024,1024", "2k,2000"})
  void sizes(String text, long bytes) {
    assertThat(ByteSize.parse(text)).hasValue(bytes);
  }

  /** Names that users of other trainers type, each with what it is called here. */
  @ParameterizedTest
  @CsvSource({
    "network_dim, lora_rank",
    "network_alpha, lora_alpha",
    "unet_lr, learning_rate",
    "text_encoder_lr, lora_targets",
    "pretrained_model_name_or_path, base_model",
    "per_device_train_batch_size, batch_size",
    "micro_batch_size, batch_size",
    "cutoff_len, max_length",
    "sequence_len, max_length",
    "sample_packing, packing",
    "num_train_epochs, epochs",
    "lora_r, lora_rank",
    "use_dora, lora_method",
    "network_module, lora_method",
    "decompose_factor, lokr_factor",
    "init_lora_weights, lora_init",
    "loraplus_lr_ratio, lora_plus_ratio",
    "mixed_precision, compute_dtype",
    "Flip-Aug, flip"
  })
  void namesOfOtherToolsAreKnown(String theirs, String ours) {
    assertThatThrownBy(() -> ConfigReader.read(Optional.empty(), List.of(theirs + "=1")))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(theirs + " is not a known key. Here it is \"" + ours + "\"");
  }

  @Test
  void otherUnknownNames() {
    assertThatThrownBy(() -> ConfigReader.read(Optional.empty(), List.of("no_half_vae=x")))
        .hasMessageContaining("There is no such setting: the VAE needs no choice here.");
    assertThatThrownBy(
            () -> ConfigReader.read(Optional.empty(), List.of("trainable_token_indices=[5]")))
        .hasMessageContaining("not trained; modules_to_save: [embed_tokens] trains all of it.");
    assertThatThrownBy(() -> ConfigReader.read(Optional.empty(), List.of("learning_rat=x")))
        .hasMessageContaining("Did you mean \"learning_rate\"?");
    assertThatThrownBy(() -> ConfigReader.read(Optional.empty(), List.of("zebra=x")))
        .hasMessageContaining("docs/configuration.md lists them all.");
  }

  /** Every entry of the table leads to a key that exists, and none hides one. */
  @Test
  void theTableOfOtherToolsHoldsOurNames() {
    List<String> keys = Catalogue.names();
    assertThat(keys).containsAll(OtherTools.ours());
    assertThat(OtherTools.theirs()).doesNotContainAnyElementsOf(keys);
  }

  @Test
  void takesOneTargetAsAWord() {
    TrainConfig config = ConfigReader.read(Optional.empty(), List.of("lora_targets=all-linear"));
    assertThat(config.loraTargets()).extracting(LoraTarget::target).containsExactly("all-linear");
  }

  @Test
  void keysOfAnotherTaskAreRefusedUnlessTheyHaveTheirDefault() throws IOException {
    assertThatThrownBy(() -> read("lora_rank: 4\nresolution: 512\n"))
        .isInstanceOf(UserException.class)
        .hasMessageEndingWith(
            "run.yaml line 2: resolution is a setting for diffusion models (task_type: sd); it"
                + " means nothing for language models (task_type: llm). Remove it, or change"
                + " task_type.");
    assertThatThrownBy(() -> read("packing: true\n", "task_type=text-to-image"))
        .hasMessageContaining("packing is a setting for language models (task_type: llm)");
    assertThatThrownBy(() -> read("", "flip=true"))
        .hasMessageStartingWith("--set flip is a setting");
    TrainConfig old = read("resolution: 0\nflip: false\nloss: mse\nprior_loss_weight: 1\n");
    assertThat(ConfigReader.toMap(old)).doesNotContainKeys("resolution", "flip", "loss");
    assertThat(ConfigReader.toYaml(old)).contains("packing:").doesNotContain("resolution:");
  }
}

package org.loranative.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.config.ConfigReader;
import org.loranative.config.TrainConfig;
import org.loranative.testing.TinyModel;

/** init, sweep, runs and doctor, as they are typed. */
class RunCommandsTest {
  private static final Path FLUENT = Path.of("models/demo/fluent-style");

  @TempDir private Path folder;
  private Path base;
  private Path data;

  @BeforeEach
  void prepare() throws IOException {
    base = TinyModel.write(folder.resolve("base"));
    data = folder.resolve("train.jsonl");
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      lines.add("{\"prompt\":\"what is " + i + "? \",\"completion\":\"it is " + i % 7 + "\"}");
    }
    Files.write(data, lines);
  }

  private String[] init(Path out, String... more) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "init",
                "--base=" + base,
                "--data=" + data,
                "--out=" + out,
                "--device=cpu",
                "--output-dir=" + folder.resolve("run")));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  private static TrainConfig read(Path file) {
    return ConfigReader.read(Optional.of(file), List.of());
  }

  @Test
  void initWritesAConfigurationThatTrains() {
    Path file = folder.resolve("my.yaml");
    Typed outcome = Typed.run(init(file));
    assertThat(outcome.code()).as(outcome.output()).isZero();
    assertThat(outcome.output()).contains("40 records").contains("s a step here");
    TrainConfig config = read(file);
    assertThat(config.taskType()).isEqualTo("llm");
    assertThat(config.earlyStop()).as("small data").isEqualTo(5);
    assertThat(file)
        .content()
        .contains("# preset small-data: little data")
        .containsPattern("batch_size: 4 +# Examples of a micro-batch\\.")
        .contains("steps; memory");
    assertThat(Typed.run("train", "--config=" + file, "--set=max_steps=4").code()).isZero();

    assertThat(Typed.run(init(file)).code()).as("nothing is overwritten").isEqualTo(2);
    assertThat(Typed.run(init(file, "--force", "--no-probe", "--preset=high-quality,quick")).code())
        .isZero();
    assertThat(read(file).loraRank()).isEqualTo(16);
    assertThat(read(file).loraAlpha()).isEqualTo(32);
    assertThat(read(file).maxSteps()).isEqualTo(100);
    Typed unknown = Typed.run(init(folder.resolve("x.yaml"), "--preset=lowvram"));
    assertThat(unknown.code()).isEqualTo(2);
    assertThat(unknown.output()).contains("low-vram, small-data, high-quality, quick");
    assertThat(Typed.run("init", "--base=" + base).output()).contains("--data is missing");
  }

  /** The planner refuses what the preset says, so init halves until it fits. */
  @Test
  void initFitsTheBudget() {
    Path file = folder.resolve("tight.yaml");
    Typed outcome = Typed.run(init(file, "--memory=800KB", "--no-probe"));
    assertThat(outcome.code()).as(outcome.output()).isZero();
    TrainConfig config = read(file);
    assertThat(config.batchSize()).isLessThan(4);
    assertThat(config.batchSize() * config.gradientAccumulation()).isEqualTo(4);
    assertThat(Typed.run("plan", "--config=" + file).code()).isZero();
    Typed none = Typed.run(init(folder.resolve("none.yaml"), "--memory=100KB", "--no-probe"));
    assertThat(none.code()).isEqualTo(2);
    assertThat(folder.resolve("none.yaml")).doesNotExist();
  }

  /** Of three records none is held out: nothing that early stop could go by. */
  @Test
  void initProposesWhatFewRecordsAllow() throws IOException {
    data = Files.write(folder.resolve("few.jsonl"), Files.readAllLines(data).subList(0, 3));
    Path file = folder.resolve("few.yaml");
    Typed outcome = Typed.run(init(file, "--no-probe"));
    assertThat(outcome.code()).as(outcome.output()).isZero();
    assertThat(read(file).earlyStop()).isZero();
    assertThat(Typed.run("plan", "--config=" + file).code()).isZero();
  }

  private TrainConfig initImages(Path data, String... more) {
    Path file = folder.resolve("sd.yaml");
    List<String> all =
        new ArrayList<>(
            List.of(
                "init",
                "--base=models/emoji-sd",
                "--data=" + data,
                "--out=" + file,
                "--output-dir=" + folder.resolve("run"),
                "--device=cpu",
                "--force",
                "--no-probe"));
    all.addAll(List.of(more));
    Typed outcome = Typed.run(all.toArray(String[]::new));
    assertThat(outcome.code()).as(outcome.output()).isZero();
    return read(file);
  }

  @Test
  void initKnowsImages() {
    TrainConfig config = initImages(FLUENT, "--trigger-word=glossy: \"yes\"");
    assertThat(config.taskType()).isEqualTo("sd");
    assertThat(config.resolution()).as("what the base was made for").isEqualTo(64);
    assertThat(config.learningRate()).as("a small base").isEqualTo(1e-3);
    assertThat(config.epochs() * 120).as("images shown").isBetween(3000, 3200);
    assertThat(config.triggerWord()).isEqualTo("glossy: \"yes\"");
    assertThat(config.samplePrompts())
        .hasSize(3)
        .allMatch(p -> p.startsWith("glossy: \"yes\", "))
        .doesNotHaveDuplicates();
    assertThat(config.sampleSteps()).as("eight times in 725 steps").isEqualTo(90);
    Typed text = Typed.run(init(folder.resolve("text.yaml"), "--trigger-word=x"));
    assertThat(text.code()).isEqualTo(2);
    assertThat(text.output()).contains("--trigger-word is for images");
  }

  /** Captions as people write them: the file reads back what they say. */
  @Test
  void initQuotesCaptions() throws IOException {
    Path images = Files.createDirectories(folder.resolve("images"));
    List<String> captions = List.of("yes", "12", "a \"b\": {c}, #d\n\te 猫");
    for (int i = 0; i < 3; i++) {
      Files.copy(FLUENT.resolve("images/1f335.png"), images.resolve(i + ".png"));
      Files.writeString(images.resolve(i + ".txt"), captions.get(i));
    }
    TrainConfig config = initImages(images);
    assertThat(config.samplePrompts()).containsExactlyElementsOf(captions);
    assertThat(config.epochs()).as("little data").isEqualTo(100);
    assertThat(config.triggerWord()).isEmpty();
  }

  /** README's settings have a probe loss of 0.0841 after 60 steps of 12 images. */
  @Test
  @Tag("slow")
  void whatInitProposesForImagesTrains() throws IOException {
    initImages(FLUENT);
    Typed trained =
        Typed.run("train", "--config=" + folder.resolve("sd.yaml"), "--set=max_steps=180");
    assertThat(trained.code()).as(trained.output()).isZero();
    List<String> lines = Files.readAllLines(folder.resolve("run/logs/metrics.jsonl"));
    double probe =
        new ObjectMapper().readTree(lines.get(lines.size() - 1)).path("probe_loss").asDouble();
    assertThat(probe).isBetween(0.05, 0.0841);
    assertThat(folder.resolve("run/samples/contact-sheet.png")).exists();
  }

  @Test
  void configListsAndExplains() {
    Typed all = Typed.run("config");
    assertThat(all.code()).isZero();
    assertThat(all.output())
        .containsPattern("(?m)^Training$")
        .containsPattern("(?m)^  learning_rate +2e-4 +1e-4 +The highest")
        .containsPattern("(?m)^  packing +false +– +Fill rows of max_length tokens");
    assertThat(Typed.run("config", "--task=llm").output())
        .contains("packing")
        .doesNotContain("huber_c");
    assertThat(Typed.run("config", "lora_rank").output())
        .contains("lora_rank: The adapter's size.")
        .contains("a whole number from 1 to 4096")
        .contains("must have the same value")
        .contains("lora_rank: 8");
    assertThat(Typed.run("config", "--schema").output())
        .contains("\"additionalProperties\" : false");
    Typed unknown = Typed.run("config", "lora_rnk");
    assertThat(unknown.code()).isEqualTo(2);
    assertThat(unknown.output())
        .contains("lora_rnk is not a known key. Did you mean \"lora_rank\"?");
    assertThat(Typed.run("config", "network_dim").output()).contains("Here it is \"lora_rank\"");
    Typed other = Typed.run("plan", "--set=resolution=512");
    assertThat(other.code()).isEqualTo(2);
    assertThat(other.output()).contains("--set resolution is a setting for diffusion models");
  }

  private String[] sweep(String... more) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "sweep",
                "--set=base_model=" + base,
                "--set=metadata_path=" + data,
                "--set=device=cpu",
                "--set=max_steps=30",
                "--set=save_steps=10",
                "--output-dir=" + folder.resolve("sweep")));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  @Test
  void sweepsListsComparesAndPrunes() throws IOException {
    Typed mistake = Typed.run(sweep("--over=learning_rat=1e-3"));
    assertThat(mistake.code()).isEqualTo(2);
    assertThat(mistake.output()).contains("learning_rate");

    Typed first = Typed.run(sweep("--over=learning_rate=1e-2,1e30", "--over=lora_rank=2,4"));
    assertThat(first.code()).as(first.output()).isZero();
    assertThat(first.output())
        .contains("learning_rate=1e-2,lora_rank=2")
        .contains("NaN or infinite")
        .containsPattern("lora_rank +lora_alpha +learning_rate");
    assertThat(Files.readAllLines(folder.resolve("sweep/sweep.jsonl"))).hasSize(4);
    Path good = folder.resolve("sweep/learning_rate=1e-2,lora_rank=4");
    long written = good.resolve("logs/metrics.jsonl").toFile().lastModified();
    assertThat(Typed.run(sweep("--over=learning_rate=1e-2,1e30", "--over=lora_rank=2,4")).code())
        .isZero();
    assertThat(good.resolve("logs/metrics.jsonl").toFile().lastModified())
        .as("done runs are not run again")
        .isEqualTo(written);
    assertThat(Typed.run(sweep("--over=seed=1,2,3,4", "--random=2", "--seed=5")).code()).isZero();
    try (var runs = Files.list(folder.resolve("sweep"))) {
      assertThat(runs.filter(r -> r.getFileName().toString().startsWith("seed=")).count())
          .isEqualTo(2);
    }

    Typed compared =
        Typed.run(
            "runs",
            "compare",
            good.toString(),
            folder.resolve("sweep/learning_rate=1e-2,lora_rank=2").toString());
    assertThat(compared.output()).contains("lora_rank").doesNotContain("learning_rate  ");

    Typed dry = Typed.run("runs", "prune", folder.resolve("sweep").toString(), "--dry-run");
    assertThat(dry.output()).contains("checkpoint-20").contains("would be freed");
    assertThat(good.resolve("checkpoint-20")).exists();
    assertThat(Typed.run("runs", "prune", folder.resolve("sweep").toString(), "--keep=0").code())
        .isZero();
    assertThat(good.resolve("checkpoint-20")).doesNotExist();
    assertThat(good.resolve("checkpoint-30")).doesNotExist();
    assertThat(good.resolve("adapter/adapter_model.safetensors")).exists();
    assertThat(good.resolve("logs")).as("not old").exists();
    assertThat(Typed.run("runs", "list", folder.resolve("sweep").toString()).output())
        .contains("lora_rank=4");
    assertThat(Typed.run("runs", "list", folder.resolve("base").toString()).code()).isEqualTo(2);
  }

  @Test
  void doctorReadsARunAndForeignFiles() {
    Path out = folder.resolve("run");
    assertThat(
            Typed.run(
                    "train",
                    "--set=base_model=" + base,
                    "--set=metadata_path=" + data,
                    "--set=output_dir=" + out,
                    "--set=learning_rate=1e-10",
                    "--set=max_steps=60",
                    "--set=device=cpu")
                .code())
        .isZero();
    Typed flat = Typed.run("doctor", out.toString());
    assertThat(flat.code()).isZero();
    assertThat(flat.output()).contains("loss");
    assertThat(Typed.run("doctor", out.toString(), "--json").output()).contains("\"severity\"");
    Typed foreign = Typed.run("doctor", "src/test/resources/events/torch.tfevents");
    assertThat(foreign.output()).contains("NaN or infinite (from step 40)");
    assertThat(Typed.run("doctor", folder.resolve("base").toString()).code()).isEqualTo(2);
    assertThat(Typed.run("doctor", out.toString(), "--task=video").output()).contains("llm or sd");
  }
}

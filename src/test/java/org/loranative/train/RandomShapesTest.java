package org.loranative.train;

import static org.assertj.core.api.Assertions.assertThat;

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
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.config.ConfigReader;
import org.loranative.image.Picture;
import org.loranative.testing.Seeded;
import org.loranative.testing.ThinDiffusion;
import org.loranative.testing.TinyModel;
import org.loranative.track.Console;
import org.loranative.train.runs.TrainRun;

/**
 * Random data, batch sizes and accumulation: whatever is measured or previewed beside training,
 * whatever is recomputed, the training losses and the adapter are the same bits.
 */
@ExtendWith(Seeded.class)
class RandomShapesTest {
  private static final String NEVER = "1000000";

  @TempDir private Path folder;
  private final Console console = new Console(new PrintStream(new ByteArrayOutputStream()), false);

  /** What training made of itself: losses and gradient norms of all steps, and the adapter. */
  private record Trained(List<String> steps, byte[] adapter) {}

  private Trained train(String output, List<String> settings, String... more) throws IOException {
    List<String> all = new ArrayList<>(settings);
    all.addAll(List.of(more));
    all.addAll(List.of("output_dir=" + folder.resolve(output), "threads=1", "device=cpu"));
    Path adapter;
    try (TrainRun run = new TrainRun(ConfigReader.read(Optional.empty(), all))) {
      adapter = run.train(false, console, new StopSignal()).orElseThrow();
    }
    List<String> steps = new ArrayList<>();
    for (String line : Files.readAllLines(folder.resolve(output).resolve("logs/metrics.jsonl"))) {
      JsonNode node = new ObjectMapper().readTree(line);
      steps.add(node.path("step") + " " + node.path("loss") + " " + node.path("grad_norm"));
    }
    Path file = Files.isDirectory(adapter) ? adapter.resolve("adapter_model.safetensors") : adapter;
    return new Trained(steps, Files.readAllBytes(file));
  }

  private static void assertSame(Trained one, Trained other, String what) {
    assertThat(other.steps()).as(what).isEqualTo(one.steps());
    assertThat(other.adapter()).as(what).isEqualTo(one.adapter());
  }

  private long planned(List<String> settings) {
    List<String> all = new ArrayList<>(settings);
    all.addAll(List.of("output_dir=" + folder.resolve("x"), "threads=1", "device=cpu"));
    try (TrainRun run = new TrainRun(ConfigReader.read(Optional.empty(), all))) {
      return run.bytes();
    }
  }

  private static Path records(Path file, Random random, int count, int longest) throws IOException {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      StringBuilder answer = new StringBuilder();
      for (int n = 1 + random.nextInt(longest); n > 0; n--) {
        answer.append(random.nextInt(10)).append(' ');
      }
      lines.add(String.format("{\"prompt\":\"what is %d? \",\"completion\":\"%s\"}", i, answer));
    }
    return Files.write(file, lines);
  }

  @RepeatedTest(4)
  void text(Random random) throws IOException {
    Path base = TinyModel.write(folder.resolve("base"));
    Path data = records(folder.resolve("train.jsonl"), random, 3 + random.nextInt(12), 60);
    Path other = records(folder.resolve("other.jsonl"), random, 1 + random.nextInt(12), 120);
    List<String> settings =
        List.of(
            "base_model=" + base,
            "metadata_path=" + data,
            "batch_size=" + (1 + random.nextInt(5)),
            "gradient_accumulation=" + (1 + random.nextInt(3)),
            "packing=" + random.nextBoolean(),
            "max_length=" + (64 + random.nextInt(200)),
            "max_steps=5",
            "save_steps=0",
            "lora_dropout=0.1",
            "learning_rate=0.01");
    Trained plain = train("plain", settings);
    String[] measured = {"validation_path=" + other, "eval_steps=2"};
    assertSame(plain, train("measured", settings, measured), "measured in between of " + settings);
    assertSame(
        plain,
        train("previewed", settings, "sample_steps=2", "sample_prompts=[what is 3]"),
        "previews of " + settings);
    long little = planned(settings) * 9 / 10;
    try {
      assertSame(
          plain, train("little", settings, "memory_budget=" + little), "recomputing " + settings);
    } catch (TooLargeException e) {
      assertThat(e).hasMessageContaining("memory_budget");
    }
  }

  /** A measured batch of more tokens than any that is trained on has a slot and a plan too. */
  @Test
  void longerValidation(Random random) throws IOException {
    List<String> settings =
        List.of(
            "base_model=" + TinyModel.write(folder.resolve("base")),
            "metadata_path=" + records(folder.resolve("train.jsonl"), random, 6, 2),
            "batch_size=2",
            "max_steps=4");
    Path longer = records(folder.resolve("longer.jsonl"), new Random(1), 8, 200);
    assertSame(
        train("plain", settings),
        train("measured", settings, "validation_path=" + longer, "eval_steps=2"),
        "validation of more tokens");
  }

  /** A handful of pictures of each of some sizes, under captions of several words. */
  private Path pictures(Random random, int... counts) throws IOException {
    Path data = Files.createDirectories(folder.resolve("data"));
    int[][] sizes = {{128, 64}, {64, 64}, {64, 128}};
    List<String> lines = new ArrayList<>(List.of("file_name,caption"));
    for (int s = 0; s < counts.length; s++) {
      for (int i = 0; i < counts[s]; i++) {
        float[] rgb = new float[sizes[s][0] * sizes[s][1] * 3];
        float wave = 1 + random.nextFloat() * 40;
        for (int k = 0; k < rgb.length; k++) {
          rgb[k] = (float) (0.5 + 0.5 * Math.sin(k / wave));
        }
        String name = s + "-" + i + ".png";
        new Picture(sizes[s][0], sizes[s][1], rgb).writePng(data.resolve(name));
        lines.add(name + ",\"red, number " + i + ", cat\"");
      }
    }
    Files.write(data.resolve("metadata.csv"), lines);
    return data;
  }

  private List<String> pictureSettings(Path data, int batch, String... more) throws IOException {
    List<String> settings =
        new ArrayList<>(
            List.of(
                "task_type=sd",
                "base_model=" + ThinDiffusion.write(folder.resolve("thin")),
                "metadata_path=" + data,
                "resolution=96",
                "validation_fraction=0",
                "batch_size=" + batch,
                "save_steps=0",
                "learning_rate=0.002",
                "lora_rank=3"));
    settings.addAll(List.of(more));
    return settings;
  }

  /**
   * A batch of more images with fewer pixels has more text states than the batch with most pixels.
   */
  @Test
  void moreImagesOfFewerPixels(Random random) throws IOException {
    List<String> settings = pictureSettings(pictures(random, 4, 5), 5, "max_steps=3");
    assertSame(
        train("seldom", settings, "eval_steps=" + NEVER),
        train("often", settings, "eval_steps=2"),
        "measured in between");
  }

  /** The same where the text encoder runs in each step: its inputs then are what grows. */
  @Test
  void moreImagesOfFewerPixelsWithTextEncoder(Random random) throws IOException {
    List<String> settings =
        pictureSettings(
            pictures(random, 4, 6),
            6,
            "max_steps=4",
            "shuffle_caption=true",
            "lora_targets=[unet-attention, text-encoder]");
    assertSame(
        train("seldom", settings, "eval_steps=" + NEVER),
        train("often", settings, "eval_steps=2"),
        "measured in between");
  }

  @Test
  void images(Random random) throws IOException {
    Path data = pictures(random, 1 + random.nextInt(4), 1 + random.nextInt(5), random.nextInt(4));
    List<String> settings =
        pictureSettings(
            data,
            1 + random.nextInt(5),
            "max_steps=3",
            "gradient_accumulation=" + (1 + random.nextInt(2)),
            "flip=" + random.nextBoolean(),
            "shuffle_caption=" + random.nextBoolean());
    Trained plain = train("plain", settings, "eval_steps=" + NEVER);
    // A prompt of two rows of tokens needs more than one of one row.
    String prompts = "sample_prompts=[cat, \"" + "red cat ".repeat(45) + "\"]";
    assertSame(
        plain,
        train("watched", settings, "eval_steps=2", "sample_steps=2", prompts),
        "measured and previewed, " + settings);
    try {
      long little = planned(settings) * 3 / 4;
      assertSame(
          plain, train("little", settings, "memory_budget=" + little), "recomputing " + settings);
    } catch (TooLargeException e) {
      assertThat(e).hasMessageContaining("memory_budget");
    }
  }
}

package org.loranative.train.diffusion;

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
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.config.ConfigReader;
import org.loranative.image.Picture;
import org.loranative.testing.ThinDiffusion;
import org.loranative.track.Console;
import org.loranative.train.StopSignal;
import org.loranative.train.runs.TrainRun;

/** Short runs of a thin copy of the demo model on a few drawn pictures. */
abstract class DemoRuns {
  @TempDir private static Path shared;
  static Path base;

  @TempDir Path folder;
  private final Console console = new Console(new PrintStream(new ByteArrayOutputStream()), false);

  @BeforeAll
  static void writeBase() throws IOException {
    base = ThinDiffusion.write(shared.resolve("base"));
  }

  /** Squares and wide pictures, so that there are two sizes and batches of several shapes. */
  @BeforeEach
  void draw() throws IOException {
    Files.createDirectories(folder.resolve("data/sub"));
    List<String> lines = new ArrayList<>(List.of("file_name,caption"));
    for (int i = 0; i < 7; i++) {
      boolean wide = i % 3 == 2;
      int width = wide ? 90 : 40;
      float[] rgb = new float[width * 40 * 3];
      for (int k = 0; k < rgb.length; k++) {
        rgb[k] = (float) (0.5 + 0.5 * Math.sin(k * (i + 1) / 40.0));
      }
      String name = (i == 0 ? "sub/" : "") + "image" + i + ".png";
      new Picture(width, 40, rgb).writePng(folder.resolve("data").resolve(name));
      lines.add(name + ",\"picture, number " + i + "\"");
    }
    Files.write(folder.resolve("data/metadata.csv"), lines);
  }

  Optional<Path> train(String output, boolean resume, String... more) {
    List<String> settings =
        new ArrayList<>(
            List.of(
                "task_type=sd",
                "base_model=" + base,
                "metadata_path=" + folder.resolve("data"),
                "output_dir=" + folder.resolve(output),
                "resolution=96",
                "batch_size=2",
                "max_steps=6",
                "learning_rate=0.002",
                "lora_rank=3",
                "save_steps=3",
                "eval_steps=6",
                "threads=1"));
    settings.addAll(List.of(more));
    try (TrainRun run = new TrainRun(ConfigReader.read(Optional.empty(), settings))) {
      return run.train(resume, console, new StopSignal());
    }
  }

  List<String> losses(String output) throws IOException {
    List<String> result = new ArrayList<>();
    for (String line : Files.readAllLines(folder.resolve(output).resolve("logs/metrics.jsonl"))) {
      JsonNode node = new ObjectMapper().readTree(line);
      result.add(node.path("step") + " " + node.path("loss") + " " + node.path("grad_norm"));
    }
    return result;
  }

  String loss(String output) throws IOException {
    return losses(output).get(0).split(" ")[1];
  }
}

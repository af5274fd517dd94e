package org.loranative.testing;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.loranative.config.ConfigReader;
import org.loranative.track.Console;
import org.loranative.train.StopSignal;
import org.loranative.train.runs.TrainRun;

/** An adapter of a {@link TinyModel} that has learnt enough to change its answers. */
public final class TinyAdapter {
  private TinyAdapter() {}

  /**
   * @param folder to write to: the data and the run
   * @return the adapter's folder
   */
  public static Path train(Path base, Path folder, String... settings) throws IOException {
    Files.createDirectories(folder);
    Path data = folder.resolve("data.jsonl");
    Files.writeString(data, "{\"prompt\": \"what? \", \"completion\": \"that and this\"}\n");
    List<String> all =
        new ArrayList<>(
            List.of(
                "base_model=" + base,
                "metadata_path=" + data,
                "output_dir=" + folder.resolve("run"),
                "learning_rate=0.02",
                "max_steps=4",
                "device=cpu",
                "threads=1"));
    all.addAll(List.of(settings));
    try (TrainRun run = new TrainRun(ConfigReader.read(Optional.empty(), all))) {
      run.train(
          false,
          new Console(new PrintStream(OutputStream.nullOutputStream()), false),
          new StopSignal());
    }
    return folder.resolve("run/adapter");
  }
}

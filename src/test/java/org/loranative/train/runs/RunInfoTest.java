package org.loranative.train.runs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.config.ConfigReader;
import org.loranative.track.TensorBoard;

/** Runs are found among what is none, behind links too. */
class RunInfoTest {
  @TempDir private Path folder;

  private Path run(Path place, String config) throws IOException {
    Files.createDirectories(place);
    Files.writeString(place.resolve("config.yaml"), config);
    try (TensorBoard board = new TensorBoard(place.resolve("logs"), 1)) {
      board.scalars(1, Map.of("Loss/train", 5.0));
    }
    return place;
  }

  @Test
  void nothingForeignHidesARun() throws IOException {
    String ours = ConfigReader.toYaml(ConfigReader.read(Optional.empty(), List.of("output_dir=x")));
    run(folder.resolve("output/a"), ours);
    run(folder.resolve("output/foreign"), "model: {name: other}\n");
    run(folder.resolve("output/broken"), "\u0000: [");
    Path elsewhere = run(folder.resolve("elsewhere/b"), ours);
    Files.createSymbolicLink(folder.resolve("output/b"), elsewhere);
    Files.createSymbolicLink(folder.resolve("output/loop"), folder.resolve("output"));
    Files.createSymbolicLink(folder.resolve("output/nowhere"), folder.resolve("gone"));
    assertThat(RunInfo.below(folder.resolve("output")).stream().map(RunInfo::name))
        .containsExactly("a", "b");
  }
}

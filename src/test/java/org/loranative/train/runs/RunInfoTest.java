package org.loranative.train.runs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
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

  private static RunInfo run(String name, Map<String, String> settings) {
    return new RunInfo(
        name,
        Path.of(name),
        settings,
        120,
        OptionalDouble.of(2.3456),
        true,
        org.loranative.diagnose.Finding.Symptom.PLATEAU);
  }

  @Test
  void whereAndWhenARunWasIsNoDifference() {
    Map<String, String> one = Map.of("output_dir", "a", "template_date", "2026-01-02", "seed", "1");
    Map<String, String> other =
        Map.of("output_dir", "b", "template_date", "2026-01-03", "seed", "2");
    assertThat(RunInfo.differing(List.of(run("a", one), run("b", other)))).containsExactly("seed");
  }

  /** Settings go first, then steps; no line is longer than the terminal. */
  @Test
  void aTableFitsTheTerminal() {
    RunTable table =
        new RunTable(
            List.of(
                run("one", Map.of("lora_rank", "8", "seed", "1", "optimizer", "adamw")),
                run("another", Map.of("lora_rank", "16", "seed", "2", "optimizer", "lion"))));
    String whole = table.whole();
    assertThat(whole.lines().findFirst().orElseThrow())
        .contains("steps", "lora_rank", "seed", "optimizer");
    int full = whole.lines().mapToInt(String::length).max().orElseThrow();
    assertThat(table.within(full, "!")).isEqualTo(whole);
    for (int width = full - 1; width >= 20; width--) {
      String text = table.within(width, "see all.");
      List<String> lines = text.lines().toList();
      int most = width;
      assertThat(lines.subList(0, 3)).allMatch(l -> l.length() <= most);
      assertThat(lines.get(1)).startsWith("one");
      assertThat(lines.get(3)).endsWith("to fit " + width + " characters; see all.");
    }
    assertThat(table.within(50, "!")).contains("verdict").contains("descent, then plateau");
  }
}

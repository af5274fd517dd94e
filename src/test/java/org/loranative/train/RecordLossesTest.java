package org.loranative.train;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecordLossesTest {
  private static final Measurement MEASURED =
      new Measurement(
          Map.of("val", 2.0),
          Map.of("val", Map.of()),
          Map.of("val", List.of(new RecordLoss("held", 2, 0))));

  @TempDir private Path logs;

  private List<JsonNode> summary() throws IOException {
    List<JsonNode> lines = new java.util.ArrayList<>();
    for (String line : Files.readAllLines(logs.resolve("records.jsonl"))) {
      lines.add(new ObjectMapper().readTree(line));
    }
    return lines;
  }

  /** A record may be met twice in a step; each time counts. */
  @Test
  void sumsUpWhatEachRecordLost() throws IOException {
    try (RecordLosses losses = new RecordLosses(logs, 0)) {
      losses.step(
          1, List.of(new RecordLoss("a", 4, 0), new RecordLoss("a", 2, 0)), Measurement.NONE);
      losses.step(2, List.of(new RecordLoss("b", 9, 3), new RecordLoss("a", 3, 0)), MEASURED);
      assertThat(losses.hardest(2)).extracting(RecordLoss::record).containsExactly("b", "a");
    }
    JsonNode hardest = summary().get(0);
    assertThat(hardest.path("record").asText()).isEqualTo("b");
    JsonNode a = summary().get(1);
    assertThat(a.path("count").asInt()).isEqualTo(3);
    assertThat(a.path("mean").asDouble()).isEqualTo(3);
    assertThat(a.path("last").asDouble()).isEqualTo(3);
    assertThat(a.path("least").asDouble()).isEqualTo(2);
    assertThat(a.path("last_step").asInt()).isEqualTo(2);
    assertThat(Files.readString(logs.resolve("record_losses.jsonl")))
        .contains("{\"step\":2,\"set\":\"val\",\"records\":[\"held\"],\"losses\":[2.0]}");
  }

  /** A resumed run, and one that went back, sum up as one that never stopped. */
  @Test
  void forgetsWhatIsRunAgain() throws IOException {
    try (RecordLosses losses = new RecordLosses(logs, 0)) {
      losses.step(1, List.of(new RecordLoss("a", 4, 0)), Measurement.NONE);
      losses.step(2, List.of(new RecordLoss("a", 99, 0)), Measurement.NONE);
      losses.cutAfter(1);
      assertThat(losses.hardest(2)).isEmpty();
      losses.step(2, List.of(new RecordLoss("a", 2, 0)), Measurement.NONE);
      losses.step(3, List.of(new RecordLoss("a", 77, 0)), Measurement.NONE);
    }
    try (RecordLosses losses = new RecordLosses(logs, 2)) {
      losses.step(3, List.of(new RecordLoss("a", 3, 0)), MEASURED);
    }
    assertThat(summary().get(0).path("mean").asDouble()).isEqualTo(3);
    assertThat(summary().get(0).path("count").asInt()).isEqualTo(3);
  }

  @Test
  void passesOverDamage() throws IOException {
    Path passes = logs.resolve("record_losses.jsonl");
    Files.write(passes, "{\"step\":1,\"set\":\"tr".getBytes(StandardCharsets.UTF_8));
    Files.write(passes, new byte[] {(byte) 0xff, '\n'}, StandardOpenOption.APPEND);
    Files.writeString(
        passes,
        "{\"step\":2,\"set\":\"train\",\"records\":[\"a\"],\"losses\":[5]}\n",
        StandardOpenOption.APPEND);
    try (RecordLosses losses = new RecordLosses(logs, 2)) {
      losses.step(3, List.of(new RecordLoss("a", 3, 0)), MEASURED);
    }
    assertThat(summary().get(0).path("mean").asDouble()).isEqualTo(4);
  }

  private List<JsonNode> tokens() throws IOException {
    List<JsonNode> lines = new java.util.ArrayList<>();
    for (String line : Files.readAllLines(logs.resolve("token_losses.jsonl"))) {
      lines.add(new ObjectMapper().readTree(line));
    }
    return lines;
  }

  private static RecordLoss text(String record, float... items) {
    double sum = 0;
    for (float x : items) {
      sum += x;
    }
    return new RecordLoss(record, sum / items.length, 0, items);
  }

  private static List<Task.Piece> pieces(String record, int items) {
    return List.of(
        new Task.Piece("asked", 0, 0),
        new Task.Piece(record, 0, 1),
        new Task.Piece(" and the rest", 1, items));
  }

  /** Of a hundred records the ten hardest, as they were when they were last met. */
  @Test
  void keepsTheTokensOfTheHardest() throws IOException {
    try (RecordLosses losses = new RecordLosses(logs, 0)) {
      for (int i = 1; i <= 100; i++) {
        losses.step(
            i, List.of(text("r" + i, i, 2, 1), new RecordLoss("n", 99, 0)), Measurement.NONE);
      }
      losses.step(101, List.of(text("r100", 0.5f, 0.25f, 0)), Measurement.NONE);
      losses.writeHardest(RecordLossesTest::pieces);
    }
    assertThat(tokens())
        .extracting(t -> t.path("record").asText())
        .containsExactly("r99", "r98", "r97", "r96", "r95", "r94", "r93", "r92", "r91", "r90");
    JsonNode first = tokens().get(0);
    assertThat(first.path("step").asInt()).isEqualTo(99);
    assertThat(first.path("pieces")).hasToString("[\"asked\",\"r99\",\" and the rest\"]");
    assertThat(first.path("losses")).hasToString("[null,99.0,3.0]");
    // A resumed run goes on with what was there up to where it stands.
    try (RecordLosses losses = new RecordLosses(logs, 97)) {
      losses.step(98, List.of(text("new", 500)), Measurement.NONE);
      losses.writeHardest(RecordLossesTest::pieces);
    }
    assertThat(tokens())
        .extracting(t -> t.path("record").asText())
        .startsWith("new", "r97", "r96")
        .doesNotContain("r98", "r99");
    assertThat(tokens().get(1).path("losses")).hasToString("[null,97.0,3.0]");
  }

  /** Where records are no texts there is no such file. */
  @Test
  void writesNoTokensOfPictures() throws IOException {
    try (RecordLosses losses = new RecordLosses(logs, 0)) {
      losses.step(1, List.of(text("a.png", 0.5f)), MEASURED);
      losses.writeHardest((record, items) -> List.of());
    }
    assertThat(logs.resolve("token_losses.jsonl")).doesNotExist();
  }
}

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
}

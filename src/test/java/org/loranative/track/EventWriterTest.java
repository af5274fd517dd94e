package org.loranative.track;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.track.proto.Event;

/** Event files hold whole records with right checksums, also while they are written. */
class EventWriterTest {
  @TempDir Path folder;

  private static List<Event> read(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    List<Event> events = new ArrayList<>();
    while (in.hasRemaining()) {
      int start = in.position();
      int length = (int) in.getLong();
      assertThat(in.getInt()).isEqualTo(EventWriter.maskedCrc(bytes, start, 8));
      byte[] data = new byte[length];
      in.get(data);
      assertThat(in.getInt()).isEqualTo(EventWriter.maskedCrc(data, 0, length));
      events.add(Event.parseFrom(data));
    }
    return events;
  }

  private Path onlyFile() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.findFirst().orElseThrow();
    }
  }

  @Test
  void maskedCrcOfTheTfRecordFormat() {
    // CRC-32C of "123456789" is e3069283 (RFC 3720); TFRecord rotates it and adds a constant.
    byte[] digits = "123456789".getBytes(StandardCharsets.US_ASCII);
    assertThat(EventWriter.maskedCrc(digits, 0, 9)).isEqualTo(0xc78ab0e5);
  }

  @Test
  void writesScalarsTextsAndHyperparameters() throws Exception {
    try (TensorBoard board = new TensorBoard(folder, 5)) {
      board.scalars(5, Map.of("Loss/train", 1.5));
      for (int i = 0; i < 40 && read(onlyFile()).size() < 3; i++) {
        Thread.sleep(50);
      }
      assertThat(read(onlyFile())).as("readable while it is written").hasSize(3);
      board.text(5, "config", "# hi");
      board.hyperparameters(Map.of("lr", 0.1, "name", "x", "on", true), List.of("Loss/val"));
      board.end(true);
    }
    List<Event> events = read(onlyFile());
    assertThat(events.get(0).getFileVersion()).isEqualTo("brain.Event:2");
    assertThat(events.get(1).getSessionLog().getStatusValue()).isEqualTo(1);
    assertThat(events.get(1).getStep()).isEqualTo(5);
    assertThat(events.get(2).getSummary().getValue(0).getSimpleValue()).isEqualTo(1.5f);
    assertThat(events.get(3).getSummary().getValue(0).getTag()).isEqualTo("config/text_summary");
    assertThat(events).hasSize(7);
  }

  @Test
  void metricsOfLaterStepsAreDroppedOnResume() throws IOException {
    Path file = folder.resolve("metrics.jsonl");
    try (MetricsLog log = new MetricsLog(file, 0)) {
      for (int step = 1; step <= 4; step++) {
        log.write(Map.of("step", step));
      }
    }
    Files.writeString(file, Files.readString(file) + "{\"step\":5,\"lo");
    try (MetricsLog log = new MetricsLog(file, 2)) {
      log.write(Map.of("step", 3));
    }
    assertThat(Files.readAllLines(file))
        .containsExactly("{\"step\":1}", "{\"step\":2}", "{\"step\":3}");
  }

  /** TensorBoard, and we, read files in the order of their names. */
  @Test
  void namesSortInTheOrderOfWritingWhateverTheClock() throws IOException {
    long later = System.currentTimeMillis() / 1000 + 1_000_000;
    Path before = folder.resolve("events.out.tfevents." + later + ".77.lora-native");
    Files.createFile(before);
    new EventWriter(folder).close();
    new EventWriter(folder).close();
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files.sorted().map(f -> f.getFileName().toString().split("\\.")[3]).toList())
          .containsExactly("" + later, "" + (later + 1), "" + (later + 2));
    }
  }
}

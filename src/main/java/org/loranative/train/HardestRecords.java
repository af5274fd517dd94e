package org.loranative.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.loranative.io.AtomicFiles;
import org.loranative.track.JsonLines;
import org.loranative.track.MeasuredRecords;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which parts of the hardest training records are hard: {@code token_losses.jsonl}, a line for each
 * of the ten with the highest loss when they were last met, with its text in pieces and what each
 * lost. Of some more the losses are kept in memory, since the hardest may be learnt.
 */
final class HardestRecords {
  private static final Logger log = LoggerFactory.getLogger(HardestRecords.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int WRITTEN = 10;
  private static final int KEPT = 64;

  private final Path file;
  private final Map<String, Met> met = new HashMap<>();
  private boolean fails;

  /** A record when it was last met; as a line, where an earlier session wrote it. */
  private record Met(int step, RecordLoss loss, JsonNode line) {}

  /** What a task says of a record's text. */
  interface Text {
    /** Its pieces, where it is a text of so many items; else nothing. */
    List<Task.Piece> pieces(String record, int items);
  }

  /**
   * @param keepTo what later steps left is dropped
   */
  HardestRecords(Path logs, int keepTo) throws IOException {
    file = logs.resolve(MeasuredRecords.TOKENS);
    if (Files.isRegularFile(file)) {
      JsonLines.read(file, this::read, log::warn);
      cutAfter(keepTo);
    }
  }

  private void read(String line) throws com.fasterxml.jackson.core.JsonProcessingException {
    JsonNode node = JSON.readTree(line);
    String record = node.path("record").asText();
    RecordLoss loss = new RecordLoss(record, node.path("loss").asDouble(), 0);
    met.put(record, new Met(node.path("step").asInt(), loss, node));
  }

  /** Takes the records of a training step. */
  void step(int step, List<RecordLoss> trained) {
    for (RecordLoss r : trained) {
      if (r.items().length > 0) {
        met.put(r.record(), new Met(step, r, null));
      }
    }
    if (met.size() > KEPT) {
      double least = hardest().get(KEPT - 1).loss.loss();
      met.values().removeIf(m -> m.loss.loss() < least);
    }
  }

  private List<Met> hardest() {
    return met.values().stream()
        .sorted(
            Comparator.comparingDouble((Met m) -> m.loss.loss())
                .reversed()
                .thenComparing(m -> m.loss.record()))
        .toList();
  }

  /** Goes back to a step. */
  void cutAfter(int step) {
    met.values().removeIf(m -> m.step > step);
  }

  /** Writes the hardest anew. */
  void write(Text text) {
    StringBuilder lines = new StringBuilder();
    for (Met m : hardest().stream().limit(WRITTEN).toList()) {
      JsonNode line = m.line == null ? line(m, text) : m.line;
      if (!line.path("pieces").isEmpty()) {
        lines.append(line).append('\n');
      }
    }
    try {
      if (lines.length() > 0 || Files.exists(file)) {
        AtomicFiles.writeString(file, lines.toString());
      }
      fails = false;
    } catch (IOException e) {
      if (!fails) { // else it was said
        log.warn("{} cannot be written ({}); training goes on.", file, e.getMessage());
      }
      fails = true;
    }
  }

  private static JsonNode line(Met m, Text text) {
    ObjectNode node = JSON.createObjectNode().put("record", m.loss.record());
    node.put("step", m.step).put("loss", (float) m.loss.loss());
    ArrayNode pieces = node.putArray("pieces");
    ArrayNode losses = node.putArray("losses");
    float[] items = m.loss.items();
    for (Task.Piece piece : text.pieces(m.loss.record(), items.length)) {
      pieces.add(piece.text());
      float sum = 0;
      for (int i = piece.from(); i < piece.to(); i++) {
        sum += items[i];
      }
      if (piece.from() < piece.to()) {
        losses.add(sum);
      } else {
        losses.addNull();
      }
    }
    return node;
  }
}

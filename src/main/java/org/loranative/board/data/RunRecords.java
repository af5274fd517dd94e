package org.loranative.board.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.loranative.board.http.Refused;
import org.loranative.board.runs.RunEntry;
import org.loranative.track.JsonLines;
import org.loranative.track.MeasuredRecords;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A run's records by what they lost: {@code records.jsonl} and {@code record_losses.jsonl}. */
public final class RunRecords {
  private static final Logger log = LoggerFactory.getLogger(RunRecords.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int MOST = 10;

  private RunRecords() {}

  /** A record's losses in training, as the run sums them up. */
  private record Course(JsonNode node) {
    double last() {
      return node.path("last").asDouble();
    }

    /** It was met again and lost no less than before. */
    boolean isNotLearnt() {
      return node.path("count").asInt() > 1 && last() >= node.path("mean").asDouble();
    }
  }

  /** The hardest, and those that were met again and not learnt. */
  public static JsonNode hardest(RunEntry run) {
    List<Course> all = new ArrayList<>();
    read(
        run.place().logs().resolve(MeasuredRecords.SUMMARY),
        line -> all.add(new Course(JSON.readTree(line))));
    all.sort(Comparator.comparingDouble(Course::last).reversed());
    ObjectNode node = JSON.createObjectNode().put("count", all.size());
    ArrayNode hardest = node.putArray("hardest");
    all.stream().limit(MOST).forEach(c -> hardest.add(c.node()));
    ArrayNode never = node.putArray("never");
    all.stream().filter(Course::isNotLearnt).limit(MOST).forEach(c -> never.add(c.node()));
    node.put("again", all.stream().filter(c -> c.node().path("count").asInt() > 1).count());
    return node;
  }

  /** The records of a training step, the hardest first. */
  public static JsonNode ofStep(RunEntry run, long step) {
    List<ObjectNode> all = new ArrayList<>();
    String head = "{\"step\":" + step + ",\"set\":\"train\"";
    read(
        run.place().logs().resolve(MeasuredRecords.FILE),
        line -> {
          if (line.startsWith(head)) {
            JsonNode pass = JSON.readTree(line);
            for (int i = 0; i < pass.path("records").size(); i++) {
              ObjectNode one = JSON.createObjectNode();
              one.put("record", pass.path("records").get(i).asText());
              all.add(one.put("last", pass.path("losses").path(i).asDouble()));
            }
          }
        });
    all.sort(Comparator.comparingDouble((ObjectNode n) -> n.path("last").asDouble()).reversed());
    ObjectNode node = JSON.createObjectNode().put("step", step);
    node.putArray("records").addAll(all);
    return node;
  }

  /**
   * What a record is: its text, or its picture and caption; and its tokens, where they are kept.
   */
  public static JsonNode content(RunEntry run, String record) {
    ObjectNode node = source(run, record).describe();
    read(
        run.place().logs().resolve(MeasuredRecords.TOKENS),
        line -> {
          JsonNode tokens = JSON.readTree(line);
          if (tokens.path("record").asText().equals(record)) {
            node.set("tokens", tokens);
          }
        });
    return node;
  }

  /** The bytes of a record that is a picture. */
  public static byte[] picture(RunEntry run, String record) throws IOException {
    RecordSource source = source(run, record);
    Optional<Path> picture = source.picture();
    if (picture.isEmpty()) {
      throw Refused.notThere("this record is no picture");
    }
    return Files.readAllBytes(picture.get());
  }

  /** Only records that the run itself names are shown: the board reads no file besides. */
  private static RecordSource source(RunEntry run, String record) {
    String quoted = JSON.getNodeFactory().textNode(record).toString();
    boolean[] named = {false};
    for (String file : List.of(MeasuredRecords.SUMMARY, MeasuredRecords.FILE)) {
      if (!named[0]) {
        read(run.place().logs().resolve(file), line -> named[0] |= line.contains(quoted));
      }
    }
    if (record.isEmpty() || !named[0]) {
      throw Refused.notThere("this run names no such record");
    }
    return RecordSource.of(record);
  }

  private static void read(Path file, JsonLines.Taker taker) {
    if (Files.isRegularFile(file)) {
      try {
        JsonLines.read(file, taker, log::debug);
      } catch (IOException e) {
        log.debug("{} cannot be read: {}", file, e.getMessage());
      }
    }
  }
}

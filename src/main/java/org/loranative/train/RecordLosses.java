package org.loranative.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.loranative.io.AtomicFiles;
import org.loranative.track.JsonLines;
import org.loranative.track.MeasuredRecords;
import org.loranative.track.MetricsLog;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The losses of single records. {@code record_losses.jsonl} has a line for each pass: the step, the
 * set ({@code train}, or a measured one) and each record's loss, so that a spike can be traced to
 * its records and two measurements be compared record by record. {@code records.jsonl} sums
 * training up: a line for each record with its last, mean and lowest loss and how often it was met.
 */
final class RecordLosses implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(RecordLosses.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String TRAIN = "train";

  /** Steps whose records are kept to be named: more than the doctor looks back for a spike. */
  private static final int RECENT = 500;

  private final Path summary;
  private final Path passes;
  private final MetricsLog passesLog;
  private final HardestRecords hardestRecords;
  private boolean summaryFails;
  private final Map<String, Course> courses = new LinkedHashMap<>();
  private final NavigableMap<Integer, List<RecordLoss>> recent = new TreeMap<>();

  /** A record's losses so far. */
  private static final class Course {
    private int count;
    private double sum;
    private double last;
    private double least = Double.POSITIVE_INFINITY;
    private int lastStep;

    void add(int step, double loss) {
      count++;
      sum += loss;
      last = loss;
      least = Math.min(least, loss);
      lastStep = step;
    }
  }

  /**
   * @param keepTo what later steps left is dropped: a resumed run writes it again
   */
  RecordLosses(Path logs, int keepTo) throws IOException {
    passes = logs.resolve(MeasuredRecords.FILE);
    summary = logs.resolve(MeasuredRecords.SUMMARY);
    passesLog = new MetricsLog(passes, keepTo);
    hardestRecords = new HardestRecords(logs, keepTo);
    read();
  }

  private void read() throws IOException {
    courses.clear();
    JsonLines.read(passes, this::add, log::warn);
  }

  private void add(String line) throws JsonProcessingException {
    JsonNode pass = JSON.readTree(line);
    if (pass.path("set").asText().equals(TRAIN)) {
      for (int i = 0; i < pass.path("records").size(); i++) {
        String record = pass.path("records").get(i).asText();
        course(record).add(pass.path("step").asInt(), pass.path("losses").path(i).asDouble());
      }
    }
  }

  private Course course(String record) {
    return courses.computeIfAbsent(record, r -> new Course());
  }

  /** Takes the records of a training step, and those of what was measured after it. */
  void step(int step, List<RecordLoss> trained, Measurement measured) {
    recent.put(step, trained.stream().map(RecordLoss::withoutItems).toList());
    hardestRecords.step(step, trained);
    if (recent.size() > RECENT) {
      recent.pollFirstEntry();
    }
    trained.forEach(r -> course(r.record()).add(step, r.loss()));
    write(step, TRAIN, trained);
    measured.records().forEach((set, records) -> write(step, set, records));
    if (!measured.isEmpty()) {
      summarize();
    }
  }

  /** The records of a step that was not long ago, the hardest first. */
  List<RecordLoss> hardest(int step) {
    return recent.getOrDefault(step, List.of()).stream()
        .sorted(Comparator.comparingDouble(RecordLoss::loss).reversed())
        .toList();
  }

  /** Writes what each piece of the hardest records lost. */
  void writeHardest(HardestRecords.Text text) {
    hardestRecords.write(text);
  }

  private void write(int step, String set, List<RecordLoss> records) {
    if (records.isEmpty()) {
      return;
    }
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("step", step);
    line.put("set", set);
    line.put("records", records.stream().map(RecordLoss::record).toList());
    line.put("losses", records.stream().map(r -> (float) r.loss()).toList());
    passesLog.write(line);
  }

  /** Goes back to a step. */
  void cutAfter(int step) throws IOException {
    passesLog.cutAfter(step);
    recent.tailMap(step, false).clear();
    hardestRecords.cutAfter(step);
    read();
  }

  /** Writes the summary, the hardest records first. */
  private void summarize() {
    StringBuilder lines = new StringBuilder();
    courses.entrySet().stream()
        .sorted((a, b) -> Double.compare(b.getValue().last, a.getValue().last))
        .forEach(
            e -> {
              ObjectNode node = JSON.createObjectNode();
              Course course = e.getValue();
              node.put("record", e.getKey());
              node.put("last", (float) course.last);
              node.put("mean", (float) (course.sum / course.count));
              node.put("least", (float) course.least);
              node.put("count", course.count);
              node.put("last_step", course.lastStep);
              lines.append(node).append('\n');
            });
    try {
      AtomicFiles.writeString(summary, lines.toString());
      summaryFails = false;
    } catch (IOException e) {
      if (!summaryFails) { // else it was said
        log.warn("{} cannot be written ({}); training goes on.", summary, e.getMessage());
      }
      summaryFails = true;
    }
  }

  @Override
  public void close() throws IOException {
    passesLog.close();
  }
}

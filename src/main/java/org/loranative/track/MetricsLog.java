package org.loranative.track;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.loranative.io.AtomicFiles;

/** {@code metrics.jsonl}: one JSON object a step, written through at once. */
public final class MetricsLog implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Writer writer;

  /**
   * @param keepTo lines of later steps are dropped: a resumed run writes them again
   */
  public MetricsLog(Path file, int keepTo) throws IOException {
    Files.createDirectories(file.toAbsolutePath().getParent());
    if (Files.exists(file)) {
      List<String> kept = new ArrayList<>();
      for (String line : Files.readAllLines(file)) {
        if (step(line) <= keepTo) {
          kept.add(line);
        }
      }
      AtomicFiles.writeString(file, kept.isEmpty() ? "" : String.join("\n", kept) + "\n");
    }
    writer = Files.newBufferedWriter(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }

  /** The step of a line; a line cut off by a crash counts as later than any. */
  private static int step(String line) {
    try {
      JsonNode node = JSON.readTree(line);
      return node.path("step").asInt(Integer.MAX_VALUE);
    } catch (IOException e) {
      return Integer.MAX_VALUE;
    }
  }

  /** Appends one line; values are numbers or text. */
  public void write(Map<String, Object> values) throws IOException {
    writer.write(JSON.writeValueAsString(values) + "\n");
    writer.flush();
  }

  @Override
  public void close() throws IOException {
    writer.close();
  }
}

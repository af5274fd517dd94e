package org.loranative.track;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@code metrics.jsonl}: one JSON object a step, written through at once. */
public final class MetricsLog implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final TypeReference<LinkedHashMap<String, Object>> LINE = new TypeReference<>() {};

  private final Path path;
  private final AppendedFile file;

  /**
   * @param keepTo lines of later steps are dropped: a resumed run writes them again
   */
  public MetricsLog(Path path, int keepTo) throws IOException {
    this.path = path;
    file = new AppendedFile(path);
    cutAfter(keepTo);
  }

  /** Drops what follows the last line of a step up to {@code keepTo}; needs no room on the disk. */
  public void cutAfter(int keepTo) throws IOException {
    long end = 0;
    long at = 0;
    try (InputStream in = new BufferedInputStream(Files.newInputStream(path))) {
      ByteArrayOutputStream line = new ByteArrayOutputStream();
      for (int b = in.read(); b >= 0; b = in.read()) {
        at++;
        if (b != '\n') {
          line.write(b);
          continue;
        }
        if (step(line.toByteArray()) <= keepTo) {
          end = at;
        }
        line.reset();
      }
    }
    file.cut(end);
  }

  /** The step of a line; one that is damaged, or cut off by a crash, counts as later than any. */
  private static int step(byte[] line) {
    try {
      JsonNode node = JSON.readTree(line);
      return node.path("step").asInt(Integer.MAX_VALUE);
    } catch (IOException e) {
      return Integer.MAX_VALUE;
    }
  }

  /** Adds values to the line of a step that is the last one, if there is one. */
  public void addTo(int step, Map<String, Object> values) throws IOException {
    List<String> lines =
        new String(Files.readAllBytes(path), StandardCharsets.UTF_8).lines().toList();
    String last = lines.isEmpty() ? "" : lines.get(lines.size() - 1);
    if (step(last.getBytes(StandardCharsets.UTF_8)) == step) {
      Map<String, Object> line = JSON.readValue(last, LINE);
      line.putAll(values);
      cutAfter(step - 1);
      write(line);
    }
  }

  /** Appends one line; values are numbers or text. */
  public void write(Map<String, Object> values) {
    try {
      String line = JSON.writeValueAsString(values) + "\n";
      file.append(line.getBytes(StandardCharsets.UTF_8));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}

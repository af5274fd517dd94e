package org.loranative.track;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The loss of each record of a set, or of a part of one, that was measured at a step.
 *
 * @param set {@code val}, {@code probe}; of a part {@code val/t0-249}
 * @param losses by record
 */
public record MeasuredRecords(long step, String set, Map<String, Double> losses) {
  /** The file that has a line for each pass. */
  public static final String FILE = "record_losses.jsonl";

  private static final Logger log = LoggerFactory.getLogger(MeasuredRecords.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String TRAINED = "\"set\":\"train\"";

  public MeasuredRecords {
    losses = Map.copyOf(losses);
  }

  /** Whether it is the set called {@code name} or a part of it. */
  public boolean isOf(String name) {
    return set.equals(name) || set.startsWith(name + "/");
  }

  /** What the file in a folder holds of measured sets; nothing where there is none. */
  public static List<MeasuredRecords> read(Path logs) {
    Path path = logs.resolve(FILE);
    List<MeasuredRecords> all = new ArrayList<>();
    if (!Files.isRegularFile(path)) {
      return all;
    }
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(Files.newInputStream(path), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (!line.contains(TRAINED)) {
          of(line, path, all);
        }
      }
    } catch (IOException e) {
      log.warn("{} cannot be read: {}", path, e.getMessage());
    }
    return all;
  }

  private static void of(String line, Path path, List<MeasuredRecords> all) {
    try {
      JsonNode pass = JSON.readTree(line);
      Map<String, Double> losses = new LinkedHashMap<>();
      for (int i = 0; i < pass.path("records").size(); i++) {
        losses.put(
            pass.path("records").get(i).asText(), pass.path("losses").path(i).asDouble(Double.NaN));
      }
      all.add(new MeasuredRecords(pass.path("step").asLong(), pass.path("set").asText(), losses));
    } catch (JsonProcessingException e) {
      log.debug("A line of {} is damaged and left out: {}", path, e.getOriginalMessage());
    }
  }
}

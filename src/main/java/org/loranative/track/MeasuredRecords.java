package org.loranative.track;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The loss of each record of a set, or of a part of one, that was measured at a step.
 *
 * @param set {@code val}, {@code probe}; of a part {@code val/t0-249}
 * @param losses by record
 */
public record MeasuredRecords(long step, String set, Map<String, Double> losses) {
  /** The file that has a line for each pass. */
  public static final String FILE = "record_losses.jsonl";

  /** The file that sums training up, a line for each record. */
  public static final String SUMMARY = "records.jsonl";

  /** The file of the hardest records of training, token by token. */
  public static final String TOKENS = "token_losses.jsonl";

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String TRAINED = "\"set\":\"train\"";

  public MeasuredRecords {
    losses = Map.copyOf(losses);
  }

  /** Whether it is the set called {@code name} or a part of it. */
  public boolean isOf(String name) {
    return set.equals(name) || set.startsWith(name + "/");
  }

  /** Those of a set at a step, by part. */
  public static Map<String, MeasuredRecords> at(List<MeasuredRecords> all, String set, long step) {
    Map<String, MeasuredRecords> parts = new LinkedHashMap<>();
    for (MeasuredRecords m : all) {
      if (m.step() == step && m.isOf(set)) {
        parts.put(m.set(), m);
      }
    }
    return parts;
  }

  /** What the file in a folder holds of measured sets; nothing where there is none. */
  public static List<MeasuredRecords> read(Path logs) {
    List<MeasuredRecords> all = new ArrayList<>();
    JsonLines.readWhatIsThere(
        logs.resolve(FILE),
        line -> {
          if (!line.contains(TRAINED)) {
            all.add(of(line));
          }
        });
    return all;
  }

  private static MeasuredRecords of(String line) throws JsonProcessingException {
    JsonNode pass = JSON.readTree(line);
    Map<String, Double> losses = new LinkedHashMap<>();
    for (int i = 0; i < pass.path("records").size(); i++) {
      losses.put(
          pass.path("records").get(i).asText(), pass.path("losses").path(i).asDouble(Double.NaN));
    }
    return new MeasuredRecords(pass.path("step").asLong(), pass.path("set").asText(), losses);
  }
}

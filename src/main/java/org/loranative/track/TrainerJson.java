package org.loranative.track;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.loranative.UserException;
import org.loranative.io.JsonFile;

/**
 * The losses that Hugging Face's Trainer keeps in {@code trainer_state.json} and LLaMA-Factory in
 * {@code trainer_log.jsonl}, under the tags that the Trainer gives them in event files.
 *
 * @param settings {@code total_steps}, where it is known
 */
public record TrainerJson(Map<String, Scalars> scalars, Map<String, String> settings) {
  public static final String STATE = "trainer_state.json";
  public static final String LOG = "trainer_log.jsonl";

  private static final List<String> NOT_CURVES =
      List.of("step", "current_steps", "total_steps", "percentage");

  public static boolean isOne(Path file) {
    String name = String.valueOf(file.getFileName());
    return name.equals(STATE) || name.equals(LOG);
  }

  /** Reads either. */
  public static TrainerJson read(Path file) {
    ObjectMapper json = new ObjectMapper();
    TrainerJson read = new TrainerJson(new LinkedHashMap<>(), new LinkedHashMap<>());
    try {
      if (String.valueOf(file.getFileName()).equals(STATE)) {
        JsonNode state = json.readTree(file.toFile());
        state.path("log_history").forEach(read::take);
        read.total(state.path("max_steps"));
      } else {
        for (String line : Files.readAllLines(file)) {
          if (!line.isBlank()) {
            read.take(json.readTree(line));
          }
        }
      }
      return read;
    } catch (JsonProcessingException e) {
      throw new UserException(
          file + " is not the JSON that trainers write: " + JsonFile.problem(e) + ".", e);
    } catch (IOException e) {
      throw new UserException(file + " cannot be read: " + e.getMessage(), e);
    }
  }

  private void take(JsonNode line) {
    long step = line.path("step").asLong(line.path("current_steps").asLong());
    total(line.path("total_steps"));
    line.properties()
        .forEach(
            e -> {
              if (!NOT_CURVES.contains(e.getKey()) && e.getValue().isNumber()) {
                scalars
                    .computeIfAbsent(tag(e.getKey()), t -> new Scalars())
                    .add(step, e.getValue().asDouble(), 0);
              }
            });
  }

  private void total(JsonNode steps) {
    if (steps.asLong() > 0) {
      settings.put("total_steps", steps.asText());
    }
  }

  private static String tag(String key) {
    return key.startsWith("eval_") ? "eval/" + key.substring("eval_".length()) : "train/" + key;
  }
}

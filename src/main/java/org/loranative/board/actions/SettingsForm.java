package org.loranative.board.actions;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.loranative.UserException;
import org.loranative.config.Catalogue;
import org.loranative.config.ConfigReader;
import org.loranative.config.ConfigSchema;
import org.loranative.config.Key;
import org.loranative.config.TaskType;
import org.loranative.config.TrainConfig;

/** The catalogue of settings as a form, and what a filled form means. */
final class SettingsForm {
  private static final ObjectMapper JSON = new ObjectMapper();

  private SettingsForm() {}

  /** Every setting: section, tasks, meaning, values, defaults and its JSON Schema. */
  static JsonNode fields() {
    ArrayNode all = JSON.createArrayNode();
    JsonNode schema;
    try {
      schema = JSON.readTree(ConfigSchema.text()).path("properties");
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
    for (Key key : Catalogue.keys()) {
      ObjectNode field = all.addObject().put("name", key.name());
      field.put("section", key.section().title).put("meaning", key.plainSentence());
      field.put("detail", key.plainDetail()).put("values", key.values());
      field.put("example", key.example());
      ObjectNode defaults = field.putObject("defaults");
      for (TaskType task : TaskType.values()) {
        if (key.isFor(task)) {
          defaults.put(task.label, Key.plain(key.shownDefault(task)));
        }
      }
      field.set("schema", schema.path(key.name()));
    }
    return all;
  }

  /**
   * The configuration that a form makes; fields left empty have their defaults.
   *
   * @throws UserException if it is none
   */
  static TrainConfig read(JsonNode settings) {
    List<String> overrides = new ArrayList<>();
    settings
        .properties()
        .forEach(
            field -> {
              String text = field.getValue().asText("").strip();
              boolean structured = field.getValue().isContainerNode();
              if (structured) {
                overrides.add(field.getKey() + "=" + field.getValue());
              } else if (!text.isEmpty()) {
                overrides.add(
                    isText(field.getKey())
                        ? ConfigReader.override(field.getKey(), text)
                        : field.getKey() + "=" + text);
              }
            });
    TrainConfig config = ConfigReader.read(Optional.empty(), overrides);
    config.requireComplete();
    return config;
  }

  /** A text may hold what YAML would read as something else. */
  private static boolean isText(String key) {
    return Catalogue.find(key).map(k -> k.values().equals("a path")).orElse(false);
  }

  /** What is wrong with a form, in its own words; empty if nothing is. */
  static Optional<String> problem(JsonNode settings) {
    try {
      read(settings);
      return Optional.empty();
    } catch (UserException e) {
      return Optional.of(e.getMessage().replaceFirst("^--set ", ""));
    }
  }
}

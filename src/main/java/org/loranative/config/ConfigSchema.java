package org.loranative.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.loranative.Decimals;

/** The catalogue as a JSON Schema, by which editors complete and check configurations. */
public final class ConfigSchema {
  private static final ObjectMapper JSON = new ObjectMapper();

  private ConfigSchema() {}

  /** Of draft 2020-12; only with keywords that earlier drafts have too. */
  public static String text() {
    ObjectNode schema =
        JSON.createObjectNode()
            .put("$schema", "https://json-schema.org/draft/2020-12/schema")
            .put("title", "A run of lora-native")
            .put("type", "object")
            .put("additionalProperties", false);
    ObjectNode properties = schema.putObject("properties");
    Catalogue.keys().forEach(k -> properties.set(k.name(), property(k)));
    ObjectNode images = schema.putObject("if");
    images.putObject("properties").putObject("task_type").set("enum", names(TaskType.SD));
    images.putArray("required").add("task_type");
    schema.set("then", without(TaskType.SD));
    schema.set("else", without(TaskType.LLM));
    try {
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(schema);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static ArrayNode names(TaskType task) {
    return JSON.createArrayNode().add(task.label).add(task.alias);
  }

  /** As the reader has it: keys of another task only with their default. */
  private static ObjectNode without(TaskType task) {
    ObjectNode schema = JSON.createObjectNode();
    ObjectNode properties = schema.putObject("properties");
    Catalogue.keys().stream()
        .filter(k -> !k.isFor(task))
        .forEach(k -> properties.putObject(k.name()).putArray("enum").add(byDefault(k, task)));
    return schema;
  }

  private static JsonNode byDefault(Key key, TaskType task) {
    return JSON.valueToTree(key.byDefault(task, Map.of()));
  }

  private static ObjectNode property(Key key) {
    ObjectNode property = type(key);
    String byDefault = Key.plain(key.shownDefaults());
    property.put(
        "description",
        Stream.of(
                key.plainSentence(),
                key.plainDetail(),
                byDefault.isEmpty() ? "" : "Default: " + byDefault + ".")
            .filter(part -> !part.isEmpty())
            .collect(Collectors.joining(" ")));
    limit(property, key);
    return property;
  }

  /** The values that make sense for a key. */
  private static void limit(ObjectNode property, Key key) {
    if (key.allowed() instanceof Allowed.OneOf words) {
      words.words().forEach(property.putArray("enum")::add);
    } else if (key.allowed() instanceof Allowed.Between range) {
      limit(property, range);
    } else if (key.allowed() instanceof Allowed.MinusOneOr other) {
      ArrayNode any = property.putArray("anyOf");
      any.addObject().put("const", -1);
      limit(any.addObject(), other.range());
    } else if (key.allowed() instanceof Allowed.Positive) {
      property.put("exclusiveMinimum", 0);
    } else if (key.allowed() instanceof Allowed.Form form && !form.pattern().isEmpty()) {
      property.put("pattern", "^(" + form.pattern() + ")$");
    }
  }

  private static void limit(ObjectNode property, Allowed.Between range) {
    property.put("minimum", new BigDecimal(Decimals.plain(range.low())));
    if (!range.isOpen()) {
      property.put("maximum", new BigDecimal(Decimals.plain(range.high())));
    }
  }

  private static ObjectNode type(Key key) {
    ObjectNode property = JSON.createObjectNode();
    switch (key.type()) {
      case WHOLE, LARGE -> property.put("type", "integer");
      case NUMBER -> property.put("type", "number");
      case FLAG -> property.put("type", "boolean");
      case LIST -> property.put("type", "array").putObject("items").put("type", "string");
      case PATHS -> {
        property.putArray("type").add("string").add("array");
        property.putObject("items").put("type", "string");
      }
      case MAP -> property.put("type", "object");
      case TARGETS -> targets(property);
      default -> {
        if (key.allowed() instanceof Allowed.OneOf) {
          property.put("type", "string");
        } else {
          property.putArray("type").add("string").add("number"); // as in output_name: 2077
        }
      }
    }
    return property;
  }

  private static void targets(ObjectNode property) {
    ObjectNode entry = JSON.createObjectNode();
    ArrayNode entries = entry.putArray("anyOf");
    entries.addObject().put("type", "string");
    ObjectNode own = entries.addObject().put("type", "object").put("additionalProperties", false);
    own.putArray("required").add("target");
    ObjectNode keys = own.putObject("properties");
    keys.putObject("target").put("type", "string");
    limit(keys.putObject("rank").put("type", "integer"), Catalogue.get("lora_rank"));
    limit(keys.putObject("alpha").put("type", "number"), Catalogue.get("lora_alpha"));
    limit(keys.putObject("learning_rate").put("type", "number"), Catalogue.get("learning_rate"));
    ArrayNode all = property.putArray("anyOf");
    all.addObject().put("type", "string");
    all.addObject().put("type", "array").put("minItems", 1).set("items", entry);
  }
}

package org.loranative.config;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.type.LogicalType;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.UserException;

/**
 * Reads a {@link TrainConfig} from YAML and {@code key=value} overrides; every mistake is named.
 */
public final class ConfigReader {
  private static final String TASK_TYPE = "task_type";

  private static final YAMLMapper YAML =
      YAMLMapper.builder(
              YAMLFactory.builder()
                  .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
                  .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
                  .build())
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
          // YAML 1.1 reads 1e-4 (no dot) as text; everybody means the number.
          .withCoercionConfig(
              LogicalType.Float,
              c -> c.setCoercion(CoercionInputShape.String, CoercionAction.TryConvert))
          .withCoercionConfig(
              LogicalType.Float,
              c -> c.setCoercion(CoercionInputShape.Integer, CoercionAction.TryConvert))
          .build();

  private ConfigReader() {}

  /** Where a key came from, for messages. */
  private record Source(String file, Map<String, Integer> lines) {
    String of(String key) {
      Integer line = lines.get(key);
      return line == null ? "--set " + key : file + " line " + line + ": " + key;
    }
  }

  /**
   * @param file YAML, or empty to run on overrides alone
   * @param overrides {@code key=value}, the value in YAML ({@code [a,b]} is a list)
   * @throws UserException on anything that does not fit, naming line and key
   */
  public static TrainConfig read(Optional<Path> file, List<String> overrides) {
    ObjectNode tree = YAML.createObjectNode();
    Map<String, Integer> lines = new HashMap<>();
    String name = file.map(Path::toString).orElse("");
    file.ifPresent(f -> readFile(f, tree, lines));
    for (String override : overrides) {
      int equals = override.indexOf('=');
      if (equals < 1) {
        throw new UserException("--set " + override + ": write it as key=value.");
      }
      String key = override.substring(0, equals).strip();
      lines.remove(key);
      tree.set(key, parseValue(key, override.substring(equals + 1)));
    }
    Source source = new Source(name, lines);
    tree.fieldNames().forEachRemaining(key -> requireKnown(key, source));
    tree.properties().forEach(f -> refuseNul(f.getKey(), f.getValue(), source));
    Map<String, Object> values = values(tree, source);
    TrainConfig config = YAML.convertValue(values, TrainConfig.class);
    ConfigChecks.check(config, source::of);
    return config;
  }

  /** An override that sets a key to a text, whatever characters it has. */
  public static String override(String key, String text) {
    return key + "=" + YAML.getNodeFactory().textNode(text); // JSON's way is one of YAML's
  }

  /** A value for each key of the catalogue: the given one, or its default. */
  private static Map<String, Object> values(JsonNode given, Source source) {
    Map<String, Object> values = new LinkedHashMap<>();
    TaskType task = TaskType.LLM;
    for (Key key : Catalogue.keys()) {
      JsonNode node = given.path(key.name());
      Object byDefault = key.byDefault(task, values);
      Object value = byDefault;
      if (!node.isMissingNode() && !node.isNull()) {
        value = value(key, node, source);
        if (!value.equals(byDefault)) {
          requireMeaning(key, task, values, source);
        }
      }
      if (key.name().equals(TASK_TYPE)) {
        task = TaskType.named(value.toString()).orElseThrow();
        value = task.label;
      }
      values.put(key.name(), value);
    }
    return values;
  }

  private static Object value(Key key, JsonNode node, Source source) {
    Object value;
    try {
      value = key.type().read(YAML, node);
    } catch (IOException e) {
      throw ConfigChecks.wrong(source::of, key.name(), node, key.type().words);
    }
    boolean task = key.name().equals(TASK_TYPE) && TaskType.named(value.toString()).isPresent();
    if (!task && !key.allowed().holds(value)) {
      throw ConfigChecks.wrong(source::of, key.name(), value, key.allowed().expected());
    }
    return value;
  }

  /**
   * A key of another task or optimizer is a mistake. Its default is not: configurations that
   * earlier versions wrote into a run's folder name every key.
   */
  private static void requireMeaning(
      Key key, TaskType task, Map<String, Object> earlier, Source source) {
    String optimizer = String.valueOf(earlier.get("optimizer"));
    if (OptimizerDefaults.of(optimizer).ignores().contains(key.name())) {
      throw new UserException(
          source.of(key.name())
              + " means nothing to optimizer "
              + optimizer
              + ". Remove it, or take another optimizer.");
    }
    if (!key.isFor(task)) {
      TaskType other = key.tasks().iterator().next();
      throw new UserException(
          String.format(
              "%s is a setting for %s (task_type: %s); it means nothing for %s (task_type: %s)."
                  + " Remove it, or change task_type.",
              source.of(key.name()), other.models, other.label, task.models, task.label));
    }
  }

  private static void readFile(Path file, ObjectNode tree, Map<String, Integer> lines) {
    if (!Files.isRegularFile(file)) {
      throw new UserException(
          "The configuration " + file + " does not exist; --config names a YAML file.");
    }
    try {
      JsonNode root = YAML.readTree(file.toFile());
      if (root.isMissingNode() || root.isNull()) {
        return;
      }
      if (!(root instanceof ObjectNode object)) {
        throw new UserException(file + " must hold lines of the form \"key: value\".");
      }
      tree.setAll(object);
      try (JsonParser parser = YAML.createParser(file.toFile())) {
        int depth = 0;
        for (JsonToken t = parser.nextToken(); t != null; t = parser.nextToken()) {
          depth += t.isStructStart() ? 1 : t.isStructEnd() ? -1 : 0;
          if (t == JsonToken.FIELD_NAME && depth == 1) {
            lines.put(parser.currentName(), parser.currentTokenLocation().getLineNr());
          }
        }
      }
    } catch (JacksonException e) {
      int line = e.getLocation() == null ? 0 : e.getLocation().getLineNr();
      String problem = e.getOriginalMessage().strip().lines().findFirst().orElse("");
      throw new UserException(file + " line " + line + " is not valid YAML: " + problem, e);
    } catch (IOException e) {
      throw new UserException(file + " cannot be read: " + e.getMessage(), e);
    }
  }

  private static JsonNode parseValue(String key, String value) {
    try {
      JsonNode node = YAML.readTree(value);
      return node.isMissingNode() ? YAML.getNodeFactory().textNode("") : node;
    } catch (JacksonException e) {
      throw new UserException("--set " + key + ": \"" + value + "\" is not a YAML value.", e);
    }
  }

  private static void requireKnown(String key, Source source) {
    if (Catalogue.find(key).isEmpty()) {
      throw new UserException(source.of(key) + Catalogue.unknown(key));
    }
  }

  /** No file's name may hold a NUL, and no text needs one. */
  private static void refuseNul(String key, JsonNode value, Source source) {
    if (value.isTextual() && value.textValue().indexOf('\0') >= 0) {
      throw new UserException(source.of(key) + " holds a NUL character (\\0); remove it.");
    }
    value.forEach(element -> refuseNul(key, element, source));
  }

  /**
   * The settings of the run's task with all defaults filled in, as YAML that {@link #read} accepts.
   */
  public static String toYaml(TrainConfig config) {
    try {
      return YAML.writeValueAsString(tree(config));
    } catch (JacksonException e) {
      throw new IllegalStateException(e);
    }
  }

  private static ObjectNode tree(TrainConfig config) {
    ObjectNode tree = YAML.valueToTree(config);
    Catalogue.keys().stream()
        .filter(k -> !k.isFor(config.task()))
        .forEach(k -> tree.remove(k.name()));
    return tree;
  }

  /** Every key of the run's task and its value. */
  public static Map<String, Object> toMap(TrainConfig config) {
    Map<String, Object> map = new LinkedHashMap<>();
    tree(config)
        .properties()
        .forEach(
            f -> {
              JsonNode v = f.getValue();
              map.put(
                  f.getKey(),
                  v.isNumber()
                      ? v.numberValue()
                      : v.isBoolean()
                          ? v.booleanValue()
                          : v.isTextual() ? v.textValue() : v.toString());
            });
    return map;
  }
}

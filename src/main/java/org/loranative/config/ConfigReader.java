package org.loranative.config;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
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
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.loranative.Spelling;
import org.loranative.UserException;

/**
 * Reads a {@link TrainConfig} from YAML and {@code key=value} overrides; every mistake is named.
 */
public final class ConfigReader {
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
    tree.fields().forEachRemaining(f -> refuseNul(f.getKey(), f.getValue(), source));
    try {
      TrainConfig config = YAML.treeToValue(tree, TrainConfig.class);
      ConfigChecks.check(config, source::of);
      return config;
    } catch (JsonMappingException e) {
      if (e.getCause() instanceof UserException u) {
        throw u;
      }
      throw wrongType(e, tree, source);
    } catch (JacksonException e) {
      throw new UserException(name + ": " + e.getOriginalMessage(), e);
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

  private static UserException wrongType(JsonMappingException e, JsonNode tree, Source source) {
    String key = e.getPath().isEmpty() ? "" : e.getPath().get(0).getFieldName();
    String expected =
        Arrays.stream(TrainConfig.class.getRecordComponents())
            .filter(c -> snake(c.getName()).equals(key))
            .map(c -> kind(c))
            .findFirst()
            .orElse("another type");
    return new UserException(
        source.of(key) + " is " + tree.path(key) + ", but must be " + expected + ".", e);
  }

  private static String kind(RecordComponent component) {
    Class<?> type = component.getType();
    if (component.getName().equals("loraTargets")) {
      return "a list of names, or of {target: NAME, rank: N, alpha: X, learning_rate: X}";
    }
    if (type == Integer.class || type == Long.class) {
      return "a whole number";
    }
    if (type == Double.class) {
      return "a number";
    }
    if (type == Boolean.class) {
      return "true or false";
    }
    return type == List.class ? "a list, such as [a, b]" : "text";
  }

  private static void requireKnown(String key, Source source) {
    List<String> known =
        Arrays.stream(TrainConfig.class.getRecordComponents())
            .map(RecordComponent::getName)
            .map(ConfigReader::snake)
            .toList();
    if (!known.contains(key)) {
      throw new UserException(
          source.of(key)
              + " is not a known key. "
              + OtherTools.hint(key)
                  .or(() -> Spelling.near(key, known).map(n -> "Did you mean \"" + n + "\"?"))
                  .orElse("docs/configuration.md lists them all."));
    }
  }

  /** No file's name may hold a NUL, and no text needs one. */
  private static void refuseNul(String key, JsonNode value, Source source) {
    if (value.isTextual() && value.textValue().indexOf('\0') >= 0) {
      throw new UserException(source.of(key) + " holds a NUL character (\\0); remove it.");
    }
    value.forEach(element -> refuseNul(key, element, source));
  }

  private static String snake(String camel) {
    return camel.replaceAll("(?<=[a-z])(?=[A-Z])", "_").toLowerCase(Locale.ROOT);
  }

  /** The configuration with all defaults filled in, as YAML that {@link #read} accepts. */
  public static String toYaml(TrainConfig config) {
    try {
      return YAML.writeValueAsString(config);
    } catch (JacksonException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Every key and its value. */
  public static Map<String, Object> toMap(TrainConfig config) {
    Map<String, Object> map = new java.util.LinkedHashMap<>();
    YAML.valueToTree(config)
        .fields()
        .forEachRemaining(
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

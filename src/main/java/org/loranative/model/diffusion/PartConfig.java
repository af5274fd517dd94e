package org.loranative.model.diffusion;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.loranative.UserException;
import org.loranative.io.JsonFile;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A part's config file, with sentences for what is missing or not supported. It remembers the keys
 * that it was asked for: what is left may change the model in a way that nobody looked at.
 */
public final class PartConfig {
  private static final Logger log = LoggerFactory.getLogger(PartConfig.class);

  /** Letters of a value that a message shows: trained betas are a thousand numbers. */
  private static final int MOST_SHOWN = 60;

  private final Path file;
  private final JsonNode node;
  private final Set<String> known = new TreeSet<>();

  private PartConfig(Path file, JsonNode node) {
    this.file = file;
    this.node = node;
  }

  public static PartConfig read(Path file) {
    if (!Files.exists(file)) {
      throw new UserException(file + " is missing; is it a diffusers folder?");
    }
    return new PartConfig(file, JsonFile.read(file));
  }

  private JsonNode value(String key) {
    known.add(key);
    return node.path(key);
  }

  public boolean has(String key) {
    known.add(key);
    return node.hasNonNull(key);
  }

  public int integer(String key) {
    if (!value(key).isInt()) {
      throw wrong(key, "must be a whole number");
    }
    return value(key).asInt();
  }

  public int integer(String key, int otherwise) {
    return has(key) ? integer(key) : otherwise;
  }

  public double number(String key) {
    if (!value(key).isNumber()) {
      throw wrong(key, "must be a number");
    }
    return value(key).asDouble();
  }

  public double number(String key, double otherwise) {
    return has(key) ? number(key) : otherwise;
  }

  public boolean flag(String key, boolean otherwise) {
    if (has(key) && !value(key).isBoolean()) {
      throw wrong(key, "must be true or false");
    }
    return has(key) ? value(key).asBoolean() : otherwise;
  }

  public String text(String key, String otherwise) {
    return has(key) ? value(key).asText() : otherwise;
  }

  public List<String> texts(String key) {
    List<String> list = new ArrayList<>();
    value(key).forEach(n -> list.add(n.asText()));
    if (list.isEmpty()) {
      throw wrong(key, "must be a list");
    }
    return List.copyOf(list);
  }

  /** One number for each of {@code n}, or the same for all where the file has only one. */
  public List<Integer> integers(String key, int n, int otherwise) {
    JsonNode value = value(key);
    List<Integer> list = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      list.add(value.isArray() ? value.path(i).asInt() : value.asInt(otherwise));
    }
    if (value.isArray() && value.size() != n || list.stream().anyMatch(x -> x < 1)) {
      throw wrong(key, "must be a number, or a list of " + n);
    }
    return List.copyOf(list);
  }

  /** Numbers of a list of any length; none where there is no list. */
  public List<Integer> numbers(String key) {
    List<Integer> list = new ArrayList<>();
    value(key).forEach(n -> list.add(n.asInt()));
    return List.copyOf(list);
  }

  public UserException wrong(String key, String expected) {
    JsonNode value = node.path(key);
    String text = value.isMissingNode() ? "missing" : value.toString();
    if (text.length() > MOST_SHOWN) {
      text = text.substring(0, MOST_SHOWN) + " …";
    }
    return new UserException(file + ": " + key + " is " + text + "; it " + expected + ".");
  }

  /**
   * Refuses a setting that would change the model in a way that is not built. Absent and null are
   * right, but see {@link #requirePart}; of a list, every element must be.
   */
  public void require(String key, String... supported) {
    JsonNode value = value(key);
    List<JsonNode> each = new ArrayList<>();
    if (value.isArray()) {
      value.forEach(each::add);
    } else {
      each.add(value);
    }
    if (value.isObject() || each.stream().anyMatch(v -> !isOneOf(v, List.of(supported)))) {
      throw wrong(
          key,
          supported.length == 0
              ? "must be null to be supported"
              : "must be " + String.join(" or ", supported) + " to be supported");
    }
  }

  /**
   * The same for a part of the model that is there where nothing is said, but not where null is.
   */
  public void requirePart(String key, String supported) {
    if (node.has(key) && node.path(key).isNull()) {
      throw wrong(key, "must be " + supported + " to be supported");
    }
    require(key, supported);
  }

  private static boolean isOneOf(JsonNode value, List<String> supported) {
    boolean whole = value.isNumber() && value.asDouble() == value.asLong();
    return value.isNull()
        || value.isMissingNode()
        || supported.contains(whole ? String.valueOf(value.asLong()) : value.asText());
  }

  /** Says that keys do not change what is computed here. */
  public void ignore(String... keys) {
    known.addAll(List.of(keys));
  }

  /** Names the keys that nothing was asked of, unless they say that something is off. */
  public void warnOfUnknownKeys() {
    List<String> unknown = new ArrayList<>();
    node.properties()
        .forEach(
            field -> {
              JsonNode value = field.getValue();
              boolean off =
                  value.isNull()
                      || value.isBoolean() && !value.asBoolean()
                      || value.isContainerNode() && value.isEmpty();
              if (!off && !field.getKey().startsWith("_") && !known.contains(field.getKey())) {
                unknown.add(field.getKey() + ": " + value);
              }
            });
    if (!unknown.isEmpty()) {
      log.warn(
          "{} has settings that are not known here ({}). They are left out; if they change what the"
              + " model computes, results will be wrong.",
          file,
          String.join(", ", unknown));
    }
  }
}

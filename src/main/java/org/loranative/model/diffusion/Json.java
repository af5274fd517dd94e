package org.loranative.model.diffusion;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.loranative.UserException;

/** A component's config file, with sentences for what is missing or not supported. */
record Json(Path file, JsonNode node) {
  static Json read(Path file) {
    if (!Files.exists(file)) {
      throw new UserException(file + " is missing; is it a diffusers folder?");
    }
    try {
      return new Json(file, new ObjectMapper().readTree(file.toFile()));
    } catch (IOException e) {
      throw new UserException(file + " is not JSON: " + e.getMessage(), e);
    }
  }

  boolean has(String key) {
    return node.hasNonNull(key);
  }

  int integer(String key) {
    if (!node.path(key).isInt()) {
      throw wrong(key, "must be a whole number");
    }
    return node.path(key).asInt();
  }

  int integer(String key, int otherwise) {
    return has(key) ? integer(key) : otherwise;
  }

  double number(String key, double otherwise) {
    return has(key) ? node.path(key).asDouble() : otherwise;
  }

  boolean flag(String key, boolean otherwise) {
    return has(key) ? node.path(key).asBoolean() : otherwise;
  }

  String text(String key, String otherwise) {
    return has(key) ? node.path(key).asText() : otherwise;
  }

  List<String> texts(String key) {
    List<String> list = new ArrayList<>();
    node.path(key).forEach(n -> list.add(n.asText()));
    if (list.isEmpty()) {
      throw wrong(key, "must be a list");
    }
    return List.copyOf(list);
  }

  /** One number for each of {@code n}, or the same for all where the file has only one. */
  List<Integer> integers(String key, int n, int otherwise) {
    JsonNode value = node.path(key);
    List<Integer> list = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      list.add(value.isArray() ? value.path(i).asInt() : value.asInt(otherwise));
    }
    if (value.isArray() && value.size() != n || list.stream().anyMatch(x -> x < 1)) {
      throw wrong(key, "must be a number, or a list of " + n);
    }
    return List.copyOf(list);
  }

  UserException wrong(String key, String expected) {
    return new UserException(
        file + ": " + key + " is " + node.path(key) + "; it " + expected + ".");
  }

  /** Refuses a setting that would change the model in a way that is not built. */
  void require(String key, String... supported) {
    if (has(key) && !List.of(supported).contains(node.path(key).asText())) {
      throw wrong(key, "must be one of " + String.join(", ", supported) + " to be supported");
    }
  }
}

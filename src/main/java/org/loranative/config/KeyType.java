package org.loranative.config;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import java.io.IOException;
import java.lang.reflect.Type;
import java.util.List;
import java.util.Map;

/** What a setting's value is. */
enum KeyType {
  TEXT("text", String.class),
  PATH("text", String.class),
  WHOLE("a whole number", Integer.class),
  LARGE("a whole number", Long.class),
  NUMBER("a number", Double.class),
  FLAG("true or false", Boolean.class),
  LIST("a list, such as [a, b]", new TypeReference<List<String>>() {}.getType()),
  PATHS("a path, or a list of them", new TypeReference<List<String>>() {}.getType()),
  MAP(
      "names and values, such as {enable_thinking: false}",
      new TypeReference<Map<String, Object>>() {}.getType()),
  TARGETS(
      "a list of names, or of {target: NAME, rank: N, alpha: X, learning_rate: X}",
      new TypeReference<List<LoraTarget>>() {}.getType());

  /** As in "must be …". */
  final String words;

  final Type java;

  KeyType(String words, Type java) {
    this.words = words;
    this.java = java;
  }

  Object read(ObjectMapper mapper, JsonNode node) throws IOException {
    ObjectReader reader = mapper.readerFor(mapper.constructType(java));
    if (this == TARGETS || this == PATHS) {
      reader = reader.with(DeserializationFeature.ACCEPT_SINGLE_VALUE_AS_ARRAY);
    }
    Object value = reader.readValue(node);
    if (value instanceof List<?> list && list.stream().anyMatch(e -> e == null)) {
      throw new JsonMappingException(null, "an empty entry");
    }
    if (value instanceof Map<?, ?> map && map.containsValue(null)) {
      throw new JsonMappingException(null, "an empty value");
    }
    return value;
  }
}

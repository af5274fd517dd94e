package org.loranative.data.llm;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.loranative.text.ChatTemplate.Message;

/**
 * Tools and calls of them, which files write as JSON or as JSON in a text. Templates want a call's
 * arguments as values (most) or as text (DeepSeek's).
 */
final class ToolCalls {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final TypeReference<Map<String, Object>> MAP = new TypeReference<>() {};

  private ToolCalls() {}

  /** All fields of a message, arguments of calls as values. */
  static Map<String, Object> fields(JsonNode message, int number) throws FormatException {
    if (message.hasNonNull("function_call")) {
      throw new FormatException(
          "message " + number + " has function_call, OpenAI's former name; write it as tool_calls");
    }
    Map<String, Object> fields = new LinkedHashMap<>(JSON.convertValue(message, MAP));
    if (fields.get("tool_calls") instanceof List<?> calls && !calls.isEmpty()) {
      fields.put("tool_calls", withArguments(calls, ToolCalls::value));
    } else {
      // Some templates ask only whether the field is there.
      fields.remove("tool_calls");
    }
    return fields;
  }

  static Message argumentsAsText(Message m) {
    return m.fields().get("tool_calls") instanceof List<?> calls
        ? m.with("tool_calls", withArguments(calls, ToolCalls::text))
        : m;
  }

  /** The tools that a record offers. */
  static List<Object> tools(JsonNode record) throws FormatException {
    if (record.hasNonNull("functions")) {
      throw new FormatException(
          "the field \"functions\" is OpenAI's former name; write it as tools");
    }
    JsonNode tools = record.path("tools");
    Object value =
        tools.isTextual() ? value(tools.asText()) : JSON.convertValue(tools, Object.class);
    if (value instanceof List<?> list) {
      return new ArrayList<>(list);
    }
    if (tools.isNull() || tools.isMissingNode() || tools.asText("x").isBlank()) {
      return List.of();
    }
    throw new FormatException("tools must be a list of tools, or such a list as JSON text");
  }

  private static List<Object> withArguments(List<?> calls, UnaryOperator<Object> form) {
    List<Object> changed = new ArrayList<>();
    for (Object call : calls) {
      changed.add(withArguments(call, form));
    }
    return changed;
  }

  private static Object withArguments(Object call, UnaryOperator<Object> form) {
    if (!(call instanceof Map<?, ?> map)) {
      return call;
    }
    Map<Object, Object> copy = new LinkedHashMap<>(map);
    copy.computeIfPresent("function", (k, f) -> withArguments(f, form));
    copy.computeIfPresent("arguments", (k, a) -> form.apply(a));
    return copy;
  }

  private static Object value(Object arguments) {
    try {
      return arguments instanceof String s && !s.isBlank()
          ? JSON.readValue(s, Object.class)
          : arguments;
    } catch (JacksonException e) {
      return arguments;
    }
  }

  private static Object text(Object arguments) {
    try {
      return arguments instanceof String ? arguments : JSON.writeValueAsString(arguments);
    } catch (JacksonException e) {
      throw new IllegalStateException(e);
    }
  }
}

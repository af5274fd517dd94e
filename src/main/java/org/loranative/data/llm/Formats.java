package org.loranative.data.llm;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.text.ChatTemplate.Message;

/** Record formats: which fields mean what. */
public final class Formats {
  private Formats() {}

  /** What a record says, apart from how it was written. */
  public sealed interface Content permits Conversation, Completion, Text {}

  /** Turns, to be rendered by the model's chat template. */
  public record Conversation(List<Message> messages) implements Content {}

  /** Raw text and its continuation; no template. */
  public record Completion(String prompt, String completion) implements Content {}

  /** Raw text. */
  public record Text(String text) implements Content {}

  /** A record that its format cannot make sense of. */
  public static final class FormatException extends Exception {
    FormatException(String message) {
      super(message);
    }
  }

  private static final Map<String, String> SHAREGPT_ROLES =
      Map.of(
          "human", "user",
          "user", "user",
          "gpt", "assistant",
          "assistant", "assistant",
          "model", "assistant",
          "bot", "assistant",
          "system", "system",
          "tool", "tool",
          "function", "tool",
          "observation", "tool");

  /**
   * @param format {@code auto} to go by the record's fields
   */
  public static Content parse(JsonNode record, String format) throws FormatException {
    String kind = format.equals("auto") ? detect(record) : format;
    return switch (kind) {
      case "messages" -> messages(record.path("messages"), "role", "content");
      case "sharegpt" -> sharegpt(record);
      case "alpaca" -> alpaca(record);
      case "prompt" -> new Completion(text(record, "prompt"), text(record, "completion"));
      default -> new Text(text(record, "text"));
    };
  }

  private static String detect(JsonNode record) throws FormatException {
    if (record.has("messages")) {
      return "messages";
    } else if (record.has("conversations")) {
      return "sharegpt";
    } else if (record.has("instruction") && record.has("output")) {
      return "alpaca";
    } else if (record.has("prompt") && record.has("completion")) {
      return "prompt";
    } else if (record.has("text")) {
      return "text";
    }
    List<String> names = new ArrayList<>();
    for (Iterator<String> i = record.fieldNames(); i.hasNext(); ) {
      names.add(i.next());
    }
    throw new FormatException(
        "no known fields among "
            + names
            + "; expected messages, conversations, instruction and output, prompt and completion,"
            + " or text");
  }

  private static Conversation sharegpt(JsonNode record) throws FormatException {
    Conversation turns = messages(record.path("conversations"), "from", "value");
    List<Message> all = new ArrayList<>();
    if (record.path("system").isTextual() && !record.path("system").asText().isBlank()) {
      all.add(new Message("system", record.path("system").asText()));
    }
    for (Message m : turns.messages()) {
      String role = SHAREGPT_ROLES.get(m.role());
      if (role == null) {
        throw new FormatException("unknown speaker \"" + m.role() + "\"; expected human or gpt");
      }
      all.add(new Message(role, m.content()));
    }
    return new Conversation(all);
  }

  private static Conversation messages(JsonNode list, String roleKey, String contentKey)
      throws FormatException {
    if (!list.isArray() || list.isEmpty()) {
      throw new FormatException("the list of messages is missing or empty");
    }
    List<Message> messages = new ArrayList<>();
    for (JsonNode m : list) {
      // Some ShareGPT files use OpenAI's names inside.
      String role = m.path(m.has(roleKey) ? roleKey : "role").asText();
      Optional<String> content = content(m.path(m.has(contentKey) ? contentKey : "content"));
      if (role.isEmpty() || content.isEmpty()) {
        throw new FormatException(
            "message " + (messages.size() + 1) + " lacks " + roleKey + " or " + contentKey);
      }
      messages.add(new Message(role, content.get()));
    }
    return new Conversation(messages);
  }

  /** Text, or OpenAI's list of parts of which we take the text. */
  private static Optional<String> content(JsonNode node) {
    if (node.isTextual()) {
      return Optional.of(node.asText());
    }
    if (!node.isArray()) {
      return Optional.empty();
    }
    StringBuilder text = new StringBuilder();
    for (JsonNode part : node) {
      if (!part.path("text").isTextual()) {
        return Optional.empty();
      }
      text.append(part.path("text").asText());
    }
    return Optional.of(text.toString());
  }

  private static Conversation alpaca(JsonNode record) throws FormatException {
    String input = record.path("input").asText("");
    String instruction = text(record, "instruction");
    List<Message> messages = new ArrayList<>();
    if (record.path("system").isTextual() && !record.path("system").asText().isBlank()) {
      messages.add(new Message("system", record.path("system").asText()));
    }
    messages.add(new Message("user", input.isBlank() ? instruction : instruction + "\n\n" + input));
    messages.add(new Message("assistant", text(record, "output")));
    return new Conversation(messages);
  }

  private static String text(JsonNode record, String field) throws FormatException {
    JsonNode node = record.path(field);
    if (!node.isTextual() || node.asText().isBlank()) {
      throw new FormatException("the field \"" + field + "\" is missing, empty or not text");
    }
    return node.asText();
  }
}

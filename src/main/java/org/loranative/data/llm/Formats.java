package org.loranative.data.llm;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.loranative.text.ChatTemplate.Message;

/** Record formats: which fields mean what. */
public final class Formats {
  private Formats() {}

  /** What a record says, apart from how it was written. */
  public sealed interface Content permits Conversation, Completion, Text {}

  /**
   * Turns, to be rendered by the model's chat template.
   *
   * @param tools that may be called, as JSON describes them
   * @param silent places of answers that are not learnt (weight 0)
   */
  public record Conversation(List<Message> messages, List<Object> tools, Set<Integer> silent)
      implements Content {
    /** Whether the answer at {@code index} is to be learnt. */
    boolean learns(int index) {
      return !silent.contains(index);
    }

    /** The same behind a system prompt, if it has none of its own. */
    public Conversation withSystem(String prompt) {
      if (messages.get(0).role().equals("system")) {
        return this;
      }
      return behind(new Message("system", prompt));
    }

    private Conversation behind(Message first) {
      List<Message> all = new ArrayList<>(messages);
      all.add(0, first);
      return new Conversation(
          all, tools, silent.stream().map(i -> i + 1).collect(Collectors.toUnmodifiableSet()));
    }

    /**
     * The same in another spelling, since templates differ in what they take.
     *
     * @param argumentsAsText arguments of tool calls as JSON text instead of values
     */
    Conversation inForm(boolean argumentsAsText, NoContent noContent) {
      List<Message> spelt = new ArrayList<>();
      for (Message m : messages) {
        Message form = argumentsAsText ? ToolCalls.argumentsAsText(m) : m;
        boolean says = !m.content().isEmpty() || noContent == NoContent.AS_RECORDED;
        spelt.add(says ? form : form.with("content", noContent == NoContent.EMPTY ? "" : null));
      }
      return new Conversation(spelt, tools, silent);
    }
  }

  /** How a message without content, such as a mere call, says so. */
  enum NoContent {
    AS_RECORDED,
    EMPTY,
    NULL
  }

  /** Raw text and its continuation; no template. */
  public record Completion(String prompt, String completion) implements Content {}

  /** Raw text. */
  public record Text(String text) implements Content {}

  /** Names of a message's reasoning, in data and in templates. */
  static final List<String> REASONING = List.of("reasoning_content", "thinking", "reasoning");

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
      case "messages" -> messages(record, record.path("messages"), "role", "content");
      case "sharegpt" -> sharegpt(record);
      case "alpaca" -> alpaca(record);
      case "prompt" -> completion(record);
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
    Conversation turns = messages(record, record.path("conversations"), "from", "value");
    List<Message> all = new ArrayList<>();
    for (Message m : turns.messages()) {
      String role = SHAREGPT_ROLES.get(m.role());
      if (role == null) {
        throw new FormatException("unknown speaker \"" + m.role() + "\"; expected human or gpt");
      }
      all.add(m.with("role", role));
    }
    Conversation spoken = new Conversation(all, turns.tools(), turns.silent());
    return system(record).map(spoken::behind).orElse(spoken);
  }

  private static Optional<Message> system(JsonNode record) {
    return record.path("system").isTextual() && !record.path("system").asText().isBlank()
        ? Optional.of(new Message("system", record.path("system").asText()))
        : Optional.empty();
  }

  private static Conversation messages(
      JsonNode record, JsonNode list, String roleKey, String contentKey) throws FormatException {
    if (list.isTextual()) {
      throw new FormatException("the messages are a text, not a list");
    }
    if (record.path("chat_template_kwargs").size() > 0) {
      throw new FormatException(
          "chat_template_kwargs of single records are not supported; set template_kwargs, which"
              + " hold for all");
    }
    if (!list.isArray() || list.isEmpty()) {
      throw new FormatException("the list of messages is missing or empty");
    }
    List<Message> messages = new ArrayList<>();
    Set<Integer> silent = new TreeSet<>();
    for (JsonNode m : list) {
      int number = messages.size() + 1;
      // Some ShareGPT files use OpenAI's names inside.
      String role = m.path(m.has(roleKey) ? roleKey : "role").asText();
      JsonNode written = m.path(m.has(contentKey) ? contentKey : "content");
      Optional<String> content = content(written, "message " + number);
      Optional<String> reasoning =
          REASONING.stream()
              .map(m::path)
              .filter(JsonNode::isTextual)
              .map(JsonNode::asText)
              .findFirst();
      boolean saysMore = !m.path("tool_calls").isEmpty() || reasoning.isPresent();
      if (role.isEmpty() || content.isEmpty() && !saysMore) {
        throw new FormatException("message " + number + " lacks " + roleKey + " or " + contentKey);
      }
      Map<String, Object> fields = ToolCalls.fields(m, number);
      fields.remove(roleKey);
      fields.remove(contentKey);
      fields.put("role", role);
      fields.put("content", content.orElse(null));
      // Templates read one name or another.
      reasoning.ifPresent(r -> REASONING.forEach(name -> fields.putIfAbsent(name, r)));
      messages.add(new Message(fields));
      if (!AnswerWeights.learns(m, record, number, list.size())) {
        silent.add(number - 1);
      }
    }
    return new Conversation(messages, ToolCalls.tools(record), silent);
  }

  /** Text, or OpenAI's list of parts, which must be texts; empty where a message has none. */
  private static Optional<String> content(JsonNode node, String message) throws FormatException {
    if (node.isTextual()) {
      return Optional.of(node.asText());
    }
    if (node.isNull() || node.isMissingNode()) {
      return Optional.empty();
    }
    if (!node.isArray()) {
      throw new FormatException(message + "'s content is " + node.getNodeType() + ", not text");
    }
    StringBuilder text = new StringBuilder();
    for (JsonNode part : node) {
      JsonNode said = part.isTextual() ? part : part.path("text");
      if (!said.isTextual()) {
        String type = part.path("type").asText("unknown");
        throw new FormatException(
            type.equals("text")
                ? message + " has a part of type text without any"
                : message + " has a part of type " + type + "; only text can be trained on");
      }
      text.append(said.asText());
    }
    return Optional.of(text.toString());
  }

  /** Raw text, or turns of which those of the prompt are only read (TRL's conversational form). */
  private static Content completion(JsonNode record) throws FormatException {
    if (!record.path("prompt").isArray() || !record.path("completion").isArray()) {
      return new Completion(text(record, "prompt"), text(record, "completion"));
    }
    Conversation prompt = messages(record, record.path("prompt"), "role", "content");
    Conversation completion = messages(record, record.path("completion"), "role", "content");
    int read = prompt.messages().size();
    List<Message> all = new ArrayList<>(prompt.messages());
    all.addAll(completion.messages());
    Set<Integer> silent = new TreeSet<>();
    for (int i = 0; i < read; i++) {
      silent.add(i);
    }
    completion.silent().forEach(i -> silent.add(read + i));
    return new Conversation(all, prompt.tools(), silent);
  }

  private static Conversation alpaca(JsonNode record) throws FormatException {
    String input = record.path("input").asText("");
    String instruction = text(record, "instruction");
    List<Message> messages = new ArrayList<>();
    system(record).ifPresent(messages::add);
    messages.add(new Message("user", input.isBlank() ? instruction : instruction + "\n\n" + input));
    messages.add(new Message("assistant", text(record, "output")));
    return new Conversation(messages, List.of(), Set.of());
  }

  private static String text(JsonNode record, String field) throws FormatException {
    JsonNode node = record.path(field);
    if (!node.isTextual() || node.asText().isBlank()) {
      throw new FormatException("the field \"" + field + "\" is missing, empty or not text");
    }
    return node.asText();
  }
}

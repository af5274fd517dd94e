package org.loranative.serve;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.loranative.UserException;
import org.loranative.model.llm.Sampling;
import org.loranative.text.ChatTemplate.Message;

/**
 * What a request asks.
 *
 * @param model who is to answer; the first where it does not say
 * @param messages the conversation; empty where {@code text} is to be continued
 * @param text to be continued as it is
 * @param maxTokens of the answer; the rest of the context where it does not say
 * @param stream whether the answer is sent piece by piece
 * @param streamUsage whether the number of tokens is sent at a stream's end
 * @param ignored fields that mean nothing here
 */
record Question(
    Optional<String> model,
    List<Message> messages,
    String text,
    Optional<Integer> maxTokens,
    Sampling sampling,
    List<String> stops,
    boolean stream,
    boolean streamUsage,
    Set<String> ignored) {

  /** Fields that would change the answer, and what says that they do not. */
  private static final Map<String, List<String>> UNSUPPORTED =
      Map.of(
          "tools", List.of("[]"),
          "tool_choice", List.of("\"none\"", "\"auto\""),
          "functions", List.of("[]"),
          "function_call", List.of("\"none\"", "\"auto\""),
          "logit_bias", List.of("{}"),
          "logprobs", List.of("false", "0"),
          "top_logprobs", List.of("0"),
          "response_format", List.of("{\"type\":\"text\"}"),
          "echo", List.of("false"),
          "best_of", List.of("1"));

  private static final List<String> ROLES = List.of("system", "user", "assistant", "tool");

  private static final Set<String> KNOWN =
      Set.of(
          "model",
          "messages",
          "prompt",
          "max_tokens",
          "max_completion_tokens",
          "temperature",
          "top_k",
          "top_p",
          "min_p",
          "repetition_penalty",
          "frequency_penalty",
          "presence_penalty",
          "seed",
          "stop",
          "stream",
          "stream_options",
          "n");

  /**
   * Reads a request's body.
   *
   * @param chat whether it holds messages, or a text
   * @param usual how is answered where it does not say
   */
  static Question of(JsonNode body, boolean chat, Usual usual) {
    if (!body.isObject()) {
      throw BadRequest.body("The body is no JSON object.");
    }
    UNSUPPORTED.forEach((field, harmless) -> refuse(body, field, harmless));
    if (number(body, "n", 1) != 1) {
      throw BadRequest.of("n", "n is not 1; one answer at a time is made here.");
    }
    Set<String> ignored = new LinkedHashSet<>();
    body.fieldNames()
        .forEachRemaining(
            name -> {
              if (!KNOWN.contains(name) && !UNSUPPORTED.containsKey(name)) {
                ignored.add(name);
              }
            });
    return new Question(
        Optional.of(body.path("model").asText()).filter(m -> !m.isEmpty()),
        chat ? messages(body.path("messages")) : List.of(),
        chat ? "" : text(body.path("prompt")),
        maxTokens(body, usual.maxTokens()),
        sampling(body, usual.sampling()),
        body.hasNonNull("stop") ? stops(body.path("stop")) : usual.stops(),
        flag(body, "stream"),
        body.path("stream_options").path("include_usage").asBoolean(),
        ignored);
  }

  private static void refuse(JsonNode body, String field, List<String> harmless) {
    if (body.hasNonNull(field) && !harmless.contains(body.get(field).toString())) {
      throw BadRequest.of(field, field + " is not supported; leave it out.");
    }
  }

  private static List<Message> messages(JsonNode list) {
    if (!list.isArray() || list.isEmpty()) {
      throw BadRequest.of("messages", "messages must be a list of at least one message.");
    }
    List<Message> messages = new ArrayList<>();
    for (JsonNode m : list) {
      String at = "messages[" + messages.size() + "]";
      if (!m.path("role").isTextual()) {
        throw BadRequest.of("messages", at + " has no role.");
      }
      messages.add(new Message(role(at, m.path("role").asText()), content(at, m.path("content"))));
    }
    return messages;
  }

  private static String role(String at, String role) {
    if (role.equals("developer")) {
      return "system"; // its newer name
    }
    if (!ROLES.contains(role)) {
      throw BadRequest.of(
          "messages", at + ".role is " + role + ", but must be one of " + ROLES + ".");
    }
    return role;
  }

  private static String content(String at, JsonNode content) {
    if (content.isTextual()) {
      return content.asText();
    }
    if (!content.isArray()) {
      throw BadRequest.of("messages", at + ".content must be a text.");
    }
    StringBuilder text = new StringBuilder();
    for (JsonNode part : content) {
      if (!part.path("type").asText().equals("text")) {
        throw BadRequest.of("messages", at + ".content holds what is no text; only text is read.");
      }
      text.append(part.path("text").asText());
    }
    return text.toString();
  }

  private static String text(JsonNode prompt) {
    JsonNode one = prompt.isArray() && prompt.size() == 1 ? prompt.get(0) : prompt;
    if (!one.isTextual()) {
      throw BadRequest.of("prompt", "prompt must be one text.");
    }
    return one.asText();
  }

  private static Optional<Integer> maxTokens(JsonNode body, Optional<Integer> usual) {
    for (String field : List.of("max_completion_tokens", "max_tokens")) {
      if (body.hasNonNull(field)) {
        double n = number(body, field, 0);
        if (n < 1 || n != Math.rint(n) || n > Integer.MAX_VALUE) {
          throw BadRequest.of(field, field + " must be a whole number from 1 to 2147483647.");
        }
        return Optional.of((int) n);
      }
    }
    return usual;
  }

  private static Sampling sampling(JsonNode body, Sampling usual) {
    Sampling.Penalties penalties = usual.penalties();
    try {
      return new Sampling(
          number(body, "temperature", usual.temperature()),
          (int) number(body, "top_k", usual.topK()),
          number(body, "top_p", usual.topP()),
          number(body, "min_p", usual.minP()),
          new Sampling.Penalties(
              number(body, "repetition_penalty", penalties.repetition()),
              number(body, "frequency_penalty", penalties.frequency()),
              number(body, "presence_penalty", penalties.presence())),
          body.hasNonNull("seed") ? seed(body.get("seed")) : usual.seed());
    } catch (UserException e) {
      throw BadRequest.of(e.getMessage().split(" ", 2)[0], e.getMessage());
    }
  }

  private static long seed(JsonNode seed) {
    if (!seed.isIntegralNumber() || !seed.canConvertToLong()) {
      throw BadRequest.of("seed", "seed must be a whole number of 64 bits.");
    }
    return seed.asLong();
  }

  private static double number(JsonNode body, String field, double otherwise) {
    if (!body.hasNonNull(field)) {
      return otherwise;
    }
    if (!body.get(field).isNumber()) {
      throw BadRequest.of(field, field + " must be a number.");
    }
    return body.get(field).asDouble();
  }

  private static boolean flag(JsonNode body, String field) {
    if (body.hasNonNull(field) && !body.get(field).isBoolean()) {
      throw BadRequest.of(field, field + " must be true or false.");
    }
    return body.path(field).asBoolean();
  }

  private static List<String> stops(JsonNode stop) {
    List<String> stops = new ArrayList<>();
    for (JsonNode one : stop.isArray() ? stop : List.of(stop)) {
      if (!one.isTextual() || one.asText().isEmpty()) {
        throw BadRequest.of("stop", "stop must be a text or a list of texts, none of them empty.");
      }
      stops.add(one.asText());
    }
    return stops;
  }
}

package org.loranative.serve;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;
import org.loranative.train.llm.Respondent;

/**
 * The JSON of an answer, whole or piece by piece.
 *
 * @param id of this answer
 * @param created seconds since 1970
 * @param model who answers
 * @param chat whether a conversation is answered, or a text continued
 */
record Answer(String id, long created, String model, boolean chat) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** All at once. */
  ObjectNode whole(Respondent.Reply reply) {
    ObjectNode json = frame(chat ? "chat.completion" : "text_completion");
    ObjectNode choice = json.withArray("choices").addObject();
    choice.put("index", 0);
    if (chat) {
      choice.putObject("message").put("role", "assistant").put("content", reply.text());
    } else {
      choice.put("text", reply.text());
    }
    choice.putNull("logprobs");
    choice.put("finish_reason", reason(reply.end()));
    json.set("usage", usage(reply));
    return json;
  }

  /** What opens a stream, where something does. */
  Optional<ObjectNode> opening() {
    return chat
        ? Optional.of(delta(Optional.of("assistant"), "", Optional.empty()))
        : Optional.empty();
  }

  /** A piece of the text. */
  ObjectNode piece(String text) {
    return delta(Optional.empty(), text, Optional.empty());
  }

  /** What ends a stream. */
  ObjectNode closing(Respondent.Reply reply) {
    return delta(Optional.empty(), "", Optional.of(reason(reply.end())));
  }

  /** How many tokens a stream had. */
  ObjectNode counts(Respondent.Reply reply) {
    ObjectNode json = frame(chat ? "chat.completion.chunk" : "text_completion");
    json.putArray("choices");
    json.set("usage", usage(reply));
    return json;
  }

  private ObjectNode delta(Optional<String> role, String text, Optional<String> reason) {
    ObjectNode json = frame(chat ? "chat.completion.chunk" : "text_completion");
    ObjectNode choice = json.withArray("choices").addObject();
    choice.put("index", 0);
    if (chat) {
      ObjectNode delta = choice.putObject("delta");
      role.ifPresent(r -> delta.put("role", r));
      if (reason.isEmpty()) {
        delta.put("content", text);
      }
    } else {
      choice.put("text", text);
    }
    choice.putNull("logprobs");
    choice.put("finish_reason", reason.orElse(null));
    return json;
  }

  private ObjectNode frame(String object) {
    ObjectNode json = JSON.createObjectNode();
    json.put("id", id);
    json.put("object", object);
    json.put("created", created);
    json.put("model", model);
    return json;
  }

  private static String reason(Respondent.End end) {
    return end == Respondent.End.LENGTH ? "length" : "stop";
  }

  private static ObjectNode usage(Respondent.Reply reply) {
    ObjectNode usage = JSON.createObjectNode();
    usage.put("prompt_tokens", reply.promptTokens());
    usage.put("completion_tokens", reply.tokens());
    usage.put("total_tokens", reply.promptTokens() + reply.tokens());
    return usage;
  }
}

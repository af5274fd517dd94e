package org.loranative.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Optional;

/** The step of a {@code tokenizer.json} that puts special tokens around a text. */
final class AroundText {
  private AroundText() {}

  /**
   * @param json with its added tokens
   * @param before the token before a text
   * @param after the one behind it
   */
  static void write(ObjectNode json, Optional<String> before, Optional<String> after) {
    if (before.isEmpty() && after.isEmpty()) {
      return;
    }
    ObjectNode post = json.putObject("post_processor").put("type", "TemplateProcessing");
    ArrayNode single = post.putArray("single");
    text(single, "A", 0, before, after);
    ArrayNode pair = post.putArray("pair");
    text(pair, "A", 0, before, after);
    text(pair, "B", 1, Optional.empty(), after);
    ObjectNode special = post.putObject("special_tokens");
    for (Optional<String> token : List.of(before, after)) {
      token.ifPresent(t -> special(special, t, json.path("added_tokens")));
    }
  }

  private static void text(
      ArrayNode parts, String name, int type, Optional<String> before, Optional<String> after) {
    before.ifPresent(
        t -> parts.addObject().putObject("SpecialToken").put("id", t).put("type_id", type));
    parts.addObject().putObject("Sequence").put("id", name).put("type_id", type);
    after.ifPresent(
        t -> parts.addObject().putObject("SpecialToken").put("id", t).put("type_id", type));
  }

  private static void special(ObjectNode all, String text, JsonNode addedTokens) {
    ObjectNode token = all.putObject(text).put("id", text);
    for (JsonNode added : addedTokens) {
      if (added.path("content").asText().equals(text)) {
        token.putArray("ids").add(added.path("id").asInt());
      }
    }
    token.putArray("tokens").add(text);
  }
}

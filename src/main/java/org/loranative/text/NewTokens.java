package org.loranative.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.loranative.UserException;

/**
 * Tokens that a tokenizer does not have yet, in the order of their ids, which follow its own. Each
 * matches as it is written, wherever it stands, and is part of answers.
 */
public record NewTokens(List<String> texts) {
  public static final NewTokens NONE = new NewTokens(List.of());

  public NewTokens {
    texts = List.copyOf(texts);
  }

  public boolean isEmpty() {
    return texts.isEmpty();
  }

  /**
   * The tokenizer with these.
   *
   * @param source for messages
   * @param json a {@code tokenizer.json}
   */
  JsonNode into(String source, JsonNode json) {
    if (isEmpty()) {
      return json;
    }
    Map<String, Integer> known = known(json);
    Set<String> before = new HashSet<>();
    ObjectNode changed = json.deepCopy();
    ArrayNode added =
        changed.get("added_tokens") instanceof ArrayNode a ? a : changed.putArray("added_tokens");
    int id = firstFree(known);
    for (String text : texts) {
      if (text.isBlank() || !before.add(text)) {
        throw new UserException(
            "add_tokens: \""
                + text
                + "\" is "
                + (text.isBlank() ? "blank; a token needs a text" : "named twice; name it once")
                + ".");
      }
      if (known.containsKey(text)) {
        throw new UserException(
            "add_tokens: \""
                + text
                + "\" is a token of "
                + source
                + " already ("
                + known.get(text)
                + "); leave it out, modules_to_save trains it all the same.");
      }
      added
          .addObject()
          .put("id", id++)
          .put("content", text)
          .put("single_word", false)
          .put("lstrip", false)
          .put("rstrip", false)
          .put("normalized", false)
          .put("special", false);
    }
    return changed;
  }

  /** What another tokenizer has added to {@code own}. */
  static NewTokens of(JsonNode own, JsonNode other) {
    Map<String, Integer> known = known(own);
    List<JsonNode> more = new ArrayList<>();
    for (JsonNode token : other.path("added_tokens")) {
      if (!known.containsKey(token.path("content").asText())) {
        more.add(token);
      }
    }
    more.sort((a, b) -> Integer.compare(a.path("id").asInt(), b.path("id").asInt()));
    return new NewTokens(more.stream().map(t -> t.path("content").asText()).toList());
  }

  /** The id behind all that a tokenizer has. */
  static int firstFree(JsonNode json) {
    return firstFree(known(json));
  }

  private static int firstFree(Map<String, Integer> known) {
    return known.values().stream().mapToInt(Integer::intValue).max().orElse(-1) + 1;
  }

  private static Map<String, Integer> known(JsonNode json) {
    Map<String, Integer> known = new HashMap<>();
    JsonNode vocabulary = json.path("model").path("vocab");
    if (vocabulary.isArray()) { // Unigram: pairs of text and score
      for (JsonNode piece : vocabulary) {
        known.put(piece.path(0).asText(), known.size());
      }
    } else {
      vocabulary.properties().forEach(e -> known.put(e.getKey(), e.getValue().asInt()));
    }
    json.path("added_tokens")
        .forEach(t -> known.put(t.path("content").asText(), t.path("id").asInt()));
    return known;
  }
}

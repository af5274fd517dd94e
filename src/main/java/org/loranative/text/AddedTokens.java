package org.loranative.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.loranative.UserException;

/**
 * Tokens that stand for a text as a whole: what a vocabulary has of them and what the files beside
 * it say ({@code tokenizer_config.json}, {@code special_tokens_map.json}, {@code
 * added_tokens.json}), as transformers puts them together.
 */
final class AddedTokens {
  private static final ObjectMapper JSON = new ObjectMapper();

  private static final List<String> NAMES =
      List.of(
          "bos_token",
          "eos_token",
          "unk_token",
          "sep_token",
          "pad_token",
          "cls_token",
          "mask_token",
          "additional_special_tokens",
          "extra_special_tokens");

  private final Path file;

  /** The vocabulary's texts by id; a file beside it may rename one. */
  private final List<String> vocabulary;

  private final Map<String, Integer> ids = new HashMap<>();
  private final TreeMap<Integer, ObjectNode> tokens = new TreeMap<>();

  /**
   * @param file of the vocabulary, for messages
   * @param vocabulary each token's text, by id; where two are alike the first is meant
   */
  AddedTokens(Path file, List<String> vocabulary) {
    this.file = file;
    this.vocabulary = new ArrayList<>(vocabulary);
    for (int id = 0; id < vocabulary.size(); id++) {
      ids.putIfAbsent(vocabulary.get(id), id);
    }
  }

  /** One of the vocabulary. */
  void add(int id, boolean special) {
    tokens.put(id, token(id, vocabulary.get(id), special));
  }

  /**
   * What the files beside the vocabulary say.
   *
   * @param folder that they are in
   */
  void readBeside(Path folder, JsonNode config, JsonNode map) {
    JsonNode decoder = config.path("added_tokens_decoder");
    if (decoder.isObject()) {
      decoder
          .properties()
          .forEach(e -> set(id(folder.resolve("tokenizer_config.json"), e.getKey()), e.getValue()));
    } else {
      Path beside = folder.resolve("added_tokens.json");
      Tokenizers.readIfThere(beside)
          .properties()
          .forEach(
              e ->
                  set(
                      id(beside, e.getValue().asText()),
                      JSON.createObjectNode().put("content", e.getKey())));
    }
    for (JsonNode named : List.of(config, map)) {
      NAMES.forEach(name -> special(named.path(name)));
    }
  }

  private static int id(Path file, String text) {
    try {
      int id = Integer.parseInt(text);
      if (id >= 0) {
        return id;
      }
    } catch (NumberFormatException e) {
      // Told below.
    }
    throw new UserException(
        file + " gives a token the id " + text + "; ids are whole numbers from 0 on.");
  }

  private void set(int id, JsonNode described) {
    String text = described.isTextual() ? described.asText() : described.path("content").asText();
    Integer other = ids.get(text);
    if (text.isEmpty() || other != null && other != id) {
      throw new UserException(
          file.getParent()
              + " gives token "
              + id
              + (text.isEmpty()
                  ? " no text"
                  : " the text " + text + ", which is token " + other + " in " + file.getFileName())
              + "; download its files again.");
    }
    if (id < vocabulary.size()) {
      ids.remove(vocabulary.get(id));
      vocabulary.set(id, text);
    }
    ids.put(text, id);
    ObjectNode token = token(id, text, described.path("special").asBoolean());
    for (String flag : List.of("single_word", "lstrip", "rstrip", "normalized")) {
      token.put(flag, described.path(flag).asBoolean());
    }
    tokens.put(id, token);
  }

  /** A token that has a name, as a text or an object with one, or several of them. */
  private void special(JsonNode node) {
    if (node.isArray()) {
      node.forEach(this::special);
      return;
    }
    Optional<String> text = Tokenizers.token(node).filter(t -> !t.isEmpty());
    if (text.isEmpty()) {
      return;
    }
    int last = tokens.isEmpty() ? -1 : tokens.lastKey();
    int id = ids.computeIfAbsent(text.get(), t -> Math.max(vocabulary.size(), last + 1));
    tokens.computeIfAbsent(id, i -> token(i, text.get(), true)).put("special", true);
  }

  /** Makes them match in the text as it was written, not as it is after replacements. */
  void matchRaw() {
    tokens.values().forEach(t -> t.put("normalized", false));
  }

  private static ObjectNode token(int id, String text, boolean special) {
    return JSON.createObjectNode()
        .put("id", id)
        .put("content", text)
        .put("single_word", false)
        .put("lstrip", false)
        .put("rstrip", false)
        .put("normalized", false)
        .put("special", special);
  }

  /** The vocabulary with what was renamed. */
  List<String> vocabulary() {
    return vocabulary;
  }

  /** By id. */
  TreeMap<Integer, ObjectNode> all() {
    return tokens;
  }
}

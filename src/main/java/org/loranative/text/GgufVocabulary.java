package org.loranative.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.loranative.UserException;
import org.loranative.io.GgufMetadata;

/**
 * A Hugging Face folder's tokenizer as a GGUF's metadata: the way back of {@link GgufTokenizer}.
 * Pieces of SentencePiece get scores by the order of their merges, which join the same neighbours.
 */
public final class GgufVocabulary {
  /** The key of the chat template. */
  public static final String CHAT_TEMPLATE = "tokenizer.chat_template";

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Token types of tokenizer.ggml.token_type. */
  private static final int NORMAL = 1;

  private static final int UNKNOWN = 2;
  private static final int CONTROL = 3;
  private static final int USER_DEFINED = 4;
  private static final int UNUSED = 5;
  private static final int BYTE = 6;

  /** Below all that merges give. */
  private static final float NEVER = -1e6f;

  private final Path folder;
  private final JsonNode json;
  private final Tokenizer tokenizer;

  /**
   * @param folder of a Hugging Face model
   */
  public GgufVocabulary(Path folder, Tokenizer tokenizer) {
    this.folder = folder;
    this.json = Tokenizers.json(folder);
    this.tokenizer = tokenizer;
  }

  /**
   * Adds it to a GGUF's metadata.
   *
   * @param size tokens of the model's embedding; those that the tokenizer has not are unused
   */
  public void describe(GgufMetadata metadata, int size) {
    JsonNode model = json.path("model");
    if (!model.path("type").asText("BPE").equals("BPE")) {
      throw unsupported("its kind is " + model.path("type").asText());
    }
    boolean pieces = model.path("byte_fallback").asBoolean();
    metadata.string("tokenizer.ggml.model", pieces ? "llama" : "gpt2");
    if (!pieces) {
      metadata.string("tokenizer.ggml.pre", preTokenizer());
    }
    tokens(metadata, size, pieces);
    if (pieces) {
      metadata.bool("tokenizer.ggml.add_space_prefix", prefixesSpace());
    }
    tokenizer.bos().ifPresent(id -> metadata.uint32("tokenizer.ggml.bos_token_id", id));
    tokenizer.eos().ifPresent(id -> metadata.uint32("tokenizer.ggml.eos_token_id", id));
    int[] ofText = tokenizer.encode("a", true).ids();
    metadata.bool(
        "tokenizer.ggml.add_bos_token",
        tokenizer.bos().isPresent() && ofText[0] == tokenizer.bos().getAsInt());
    tokenizer.chatTemplate().ifPresent(t -> metadata.string(CHAT_TEMPLATE, t.standalone()));
  }

  private void tokens(GgufMetadata metadata, int size, boolean pieces) {
    String[] tokens = new String[size];
    Integer[] types = new Integer[size];
    Arrays.fill(types, UNUSED);
    Map<String, Integer> ids = new HashMap<>();
    json.path("model")
        .path("vocab")
        .properties()
        .forEach(
            t -> {
              int id = id(t.getValue(), size);
              ids.put(t.getKey(), id);
              tokens[id] = t.getKey();
              types[id] = pieces && t.getKey().matches("<0x[0-9A-F]{2}>") ? BYTE : NORMAL;
            });
    Optional.ofNullable(ids.get(json.path("model").path("unk_token").asText()))
        .filter(id -> pieces)
        .ifPresent(id -> types[id] = UNKNOWN);
    for (JsonNode added : json.path("added_tokens")) {
      int id = id(added.path("id"), size);
      tokens[id] = added.path("content").asText();
      if (types[id] != UNKNOWN) {
        types[id] = added.path("special").asBoolean() ? CONTROL : USER_DEFINED;
      }
    }
    for (int id = 0; id < size; id++) {
      tokens[id] = tokens[id] == null ? "[PAD" + id + "]" : tokens[id];
    }
    metadata.strings("tokenizer.ggml.tokens", List.of(tokens));
    metadata.int32s("tokenizer.ggml.token_type", List.of(types));
    List<String[]> merges = merges();
    if (pieces) {
      metadata.float32s("tokenizer.ggml.scores", scores(ids, merges, size));
      Optional.ofNullable(ids.get(json.path("model").path("unk_token").asText()))
          .ifPresent(id -> metadata.uint32("tokenizer.ggml.unknown_token_id", id));
    } else {
      metadata.strings(
          "tokenizer.ggml.merges", merges.stream().map(m -> m[0] + " " + m[1]).toList());
    }
  }

  private int id(JsonNode node, int size) {
    if (!node.isInt() || node.asInt() < 0 || node.asInt() >= size) {
      throw unsupported("it has the token " + node + ", but the embedding has " + size);
    }
    return node.asInt();
  }

  private List<String[]> merges() {
    List<String[]> merges = new ArrayList<>();
    for (JsonNode merge : json.path("model").path("merges")) {
      if (merge.isArray()) {
        merges.add(new String[] {merge.path(0).asText(), merge.path(1).asText()});
      } else {
        String text = merge.asText();
        int space = text.indexOf(' ', 1);
        merges.add(new String[] {text.substring(0, space), text.substring(space + 1)});
      }
    }
    return merges;
  }

  /** The better the earlier a merge gives the piece. */
  private static List<Float> scores(Map<String, Integer> ids, List<String[]> merges, int size) {
    Float[] scores = new Float[size];
    Arrays.fill(scores, NEVER);
    for (int rank = merges.size() - 1; rank >= 0; rank--) {
      Integer id = ids.get(merges.get(rank)[0] + merges.get(rank)[1]);
      if (id != null) {
        scores[id] = (float) -rank;
      }
    }
    return List.of(scores);
  }

  private boolean prefixesSpace() {
    return json.path("normalizer").toString().contains("\"Prepend\"")
        || json.path("pre_tokenizer").findParents("replacement").stream()
            .anyMatch(step -> !step.path("prepend_scheme").asText("always").equals("never"));
  }

  /** What {@link GgufTokenizer} splits words by in the same way, by llama.cpp's name. */
  private String preTokenizer() {
    Set<String> own = splits(json);
    for (String name : GgufTokenizer.PRE_TOKENIZERS) {
      ObjectNode other = JSON.createObjectNode();
      GgufTokenizer.split(name, other);
      if (splits(other).equals(own)) {
        return name;
      }
    }
    throw unsupported("it splits words in a way that llama.cpp has no name for");
  }

  /** Regular expressions and switches, whatever they are wrapped in. */
  private static Set<String> splits(JsonNode tokenizer) {
    Set<String> found = new HashSet<>();
    collect(tokenizer.path("pre_tokenizer"), found);
    return found;
  }

  private static void collect(JsonNode step, Set<String> found) {
    switch (step.path("type").asText()) {
      case "Sequence" -> step.path("pretokenizers").forEach(s -> collect(s, found));
      case "Split" -> {
        JsonNode pattern = step.path("pattern");
        found.add(pattern.has("Regex") ? pattern.path("Regex").asText() : pattern.toString());
      }
      case "Digits" -> found.add("digits " + step.path("individual_digits").asBoolean());
      case "ByteLevel" -> {
        if (step.path("use_regex").asBoolean(true)) {
          found.add("gpt-2");
        }
      }
      default -> found.add(step.toString());
    }
  }

  private UserException unsupported(String why) {
    return new UserException(
        "The tokenizer of "
            + folder
            + " cannot be written into a GGUF: "
            + why
            + ". Merge into a folder (--out without .gguf) and use llama.cpp's"
            + " convert_hf_to_gguf.py.");
  }
}

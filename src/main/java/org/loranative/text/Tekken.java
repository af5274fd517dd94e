package org.loranative.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.loranative.UserException;
import org.loranative.io.JsonFile;

/**
 * Mistral's {@code tekken.json} without a {@code tokenizer.json}, written as one: tokens of bytes
 * by rank, as tiktoken has them, behind special tokens (mistral-common's Tekkenizer, transformers'
 * MistralConverter). Special tokens stand for themselves in a text.
 */
final class Tekken {
  static final String FILE = "tekken.json";
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int BYTES = 256;
  private static final String BOS = "<s>";
  private static final String EOS = "</s>";

  /** The special tokens of files that name none, up to version 7. */
  private static final List<String> SPECIAL =
      List.of(
          "<unk>",
          BOS,
          EOS,
          "[INST]",
          "[/INST]",
          "[AVAILABLE_TOOLS]",
          "[/AVAILABLE_TOOLS]",
          "[TOOL_RESULTS]",
          "[/TOOL_RESULTS]",
          "[TOOL_CALLS]",
          "[IMG]",
          "<pad>",
          "[IMG_BREAK]",
          "[IMG_END]",
          "[PREFIX]",
          "[MIDDLE]",
          "[SUFFIX]",
          "[SYSTEM_PROMPT]",
          "[/SYSTEM_PROMPT]",
          "[TOOL_CONTENT]");

  private final Path file;
  private final JsonNode config;
  private final String pattern;
  private final List<String> special;
  private final AddedTokens added;

  /** Tokens by rank, a character for each byte. */
  private final List<String> ranks = new ArrayList<>();

  /**
   * @param folder with the file
   * @param config tokenizer_config.json
   * @param map special_tokens_map.json
   */
  Tekken(Path folder, JsonNode config, JsonNode map) {
    this.file = folder.resolve(FILE);
    this.config = config;
    JsonNode json = JsonFile.read(file);
    JsonNode own = json.path("config");
    this.pattern = own.path("pattern").asText("");
    if (pattern.isEmpty()) {
      throw refusal("config.pattern, which says how words are split, is missing");
    }
    this.special = special(json.path("special_tokens"), own.path("default_num_special_tokens"));
    readRanks(json.path("vocab"), own.path("default_vocab_size"));
    List<String> all = new ArrayList<>(special);
    all.addAll(ranks);
    this.added = new AddedTokens(file, all);
    for (int id = 0; id < special.size(); id++) {
      added.add(id, true);
    }
    added.readBeside(folder, config, map);
  }

  private UserException refusal(String why) {
    return new UserException(
        file + " is no tokenizer of Mistral's: " + why + "; download it again.");
  }

  private List<String> special(JsonNode named, JsonNode count) {
    List<String> tokens = new ArrayList<>();
    for (JsonNode token : named) {
      if (token.path("rank").asInt(-1) != tokens.size() || !token.path("token_str").isTextual()) {
        throw refusal("special token " + tokens.size() + " is missing or out of its order");
      }
      tokens.add(token.path("token_str").asText());
    }
    if (!named.isArray()) {
      tokens.addAll(SPECIAL);
    }
    int size = count.asInt(tokens.size());
    if (size < tokens.size() || size > (1 << 20)) {
      throw refusal("config.default_num_special_tokens is " + count);
    }
    for (int id = tokens.size(); id < size; id++) {
      tokens.add("<SPECIAL_" + id + ">");
    }
    Set<String> once = new HashSet<>();
    for (String token : tokens) {
      if (token.isEmpty() || !once.add(token)) {
        throw refusal("the special token \"" + token + "\" is empty or there twice");
      }
    }
    return tokens;
  }

  private void readRanks(JsonNode vocab, JsonNode size) {
    int count = size.asInt(vocab.size() + special.size()) - special.size();
    if (count < BYTES || count > vocab.size()) {
      throw refusal(
          "it holds " + vocab.size() + " tokens, and config.default_vocab_size is " + size);
    }
    Set<String> once = new HashSet<>();
    for (int rank = 0; rank < count; rank++) {
      JsonNode token = vocab.path(rank);
      String text = visible(token.path("token_bytes").asText(""));
      boolean inOrder =
          token.path("rank").asInt(-1) == rank
              && (rank >= BYTES || text.equals(String.valueOf(visible(rank))));
      if (!inOrder || text.isEmpty() || !once.add(text)) {
        throw refusal("the token of rank " + rank + " is missing, out of its order or there twice");
      }
      ranks.add(text);
    }
  }

  /** Bytes as visible characters; empty if they are not base64. */
  private static String visible(String base64) {
    try {
      byte[] bytes = Base64.getDecoder().decode(base64.getBytes(StandardCharsets.UTF_8));
      StringBuilder text = new StringBuilder();
      for (byte b : bytes) {
        text.append(visible(b & 0xff));
      }
      return text.toString();
    } catch (IllegalArgumentException e) {
      return "";
    }
  }

  /** The character that byte-level BPE writes for a byte (GPT-2's bytes_to_unicode). */
  private static char visible(int b) {
    int controls = '!';
    int gap = '¡' - ('~' + 1);
    if (b < '!') {
      return (char) (BYTES + b);
    }
    if (b > '~' && b < '¡') {
      return (char) (BYTES + controls + b - ('~' + 1));
    }
    return b == 0xad ? (char) (BYTES + controls + gap) : (char) b;
  }

  Optional<String> bos() {
    return Optional.of(BOS).filter(special::contains);
  }

  Optional<String> eos() {
    return Optional.of(EOS).filter(special::contains);
  }

  /**
   * The {@code tokenizer.json}.
   *
   * @param bos put before a text unless {@code add_bos_token} is false
   * @param eos put behind it if {@code add_eos_token} is true
   */
  ObjectNode json(Optional<String> bos, Optional<String> eos) {
    ObjectNode root = JSON.createObjectNode();
    root.put("version", "1.0");
    root.putArray("added_tokens").addAll(added.all().values());
    root.putNull("normalizer");
    ArrayNode steps =
        root.putObject("pre_tokenizer").put("type", "Sequence").putArray("pretokenizers");
    ObjectNode split = steps.addObject().put("type", "Split");
    split.putObject("pattern").put("Regex", pattern);
    split.put("behavior", "Isolated").put("invert", false);
    byteLevel(steps.addObject());
    byteLevel(root.putObject("decoder"));
    ObjectNode model = root.putObject("model").put("type", "BPE");
    // A word that is a token as a whole is not put together of others.
    model.put("fuse_unk", false).put("byte_fallback", false).put("ignore_merges", true);
    ObjectNode vocab = model.putObject("vocab");
    Set<String> known = new HashSet<>(ranks);
    ArrayNode merges = model.putArray("merges");
    for (int rank = 0; rank < ranks.size(); rank++) {
      String token = ranks.get(rank);
      vocab.put(token, special.size() + rank);
      for (int at = 1; at < token.length(); at++) {
        String left = token.substring(0, at);
        String right = token.substring(at);
        if (known.contains(left) && known.contains(right)) {
          merges.addArray().add(left).add(right);
        }
      }
    }
    added.all().forEach((id, token) -> vocab.put(token.path("content").asText(), id));
    AroundText.write(
        root,
        bos.filter(t -> config.path("add_bos_token").asBoolean(true)),
        eos.filter(t -> config.path("add_eos_token").asBoolean(false)));
    return root;
  }

  private static void byteLevel(ObjectNode step) {
    step.put("type", "ByteLevel")
        .put("add_prefix_space", false)
        .put("trim_offsets", true)
        .put("use_regex", false);
  }
}

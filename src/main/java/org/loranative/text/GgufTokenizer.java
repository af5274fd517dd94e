package org.loranative.text;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.loranative.UserException;

/**
 * Writes the {@code tokenizer.json} that a GGUF's metadata describes: byte-level BPE ({@code gpt2})
 * with the pre-tokenizer that {@code tokenizer.ggml.pre} names, or SentencePiece BPE ({@code
 * llama}: tokens with scores), as in llama.cpp's llama-vocab.cpp.
 */
final class GgufTokenizer {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Token types of tokenizer.ggml.token_type. */
  private static final long CONTROL = 3;

  private static final long USER_DEFINED = 4;

  private static final String CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
  private static final String REST =
      "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  private static final String LLAMA3 =
      CONTRACTIONS + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}" + REST;
  private static final String QWEN2 = CONTRACTIONS + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}" + REST;

  /** Marks go with letters. */
  private static final String QWEN35 =
      CONTRACTIONS
          + "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}"
          + REST.replace("\\p{L}", "\\p{L}\\p{M}");

  private static final String UPPER_LOWER =
      "[^\\r"
          + "\\n"
          + "\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+%1$s|[^\\r"
          + "\\n"
          + "\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*%1$s|%2$s|"
          + " ?[^\\s\\p{L}\\p{N}]+[\\r"
          + "\\n"
          + "/]*|\\s*[\\r"
          + "\\n"
          + "]+|\\s+(?!\\S)|\\s+";

  /** Pieces with a list of merges, as Gemma 4 has them. */
  private static final String GEMMA4 = "gemma4";

  /** Ways of splitting words that differ, by one of llama.cpp's names for each. */
  static final List<String> PRE_TOKENIZERS =
      List.of("gpt-2", "smollm", "llama-bpe", "qwen2", "qwen35", "tekken", "gpt-4o");

  private final Path file;
  private final Map<String, Object> metadata;
  private final List<String> tokens = new ArrayList<>();
  private final List<Long> types = new ArrayList<>();

  GgufTokenizer(Path file, Map<String, Object> metadata) {
    this.file = file;
    this.metadata = metadata;
    list("tokens").forEach(t -> tokens.add((String) t));
    list("token_type").forEach(t -> types.add((Long) t));
  }

  /** The {@code tokenizer.json}. */
  ObjectNode json() {
    if (tokens.isEmpty()) {
      throw new UserException(file + " holds no tokenizer (tokenizer.ggml.tokens is missing).");
    }
    String kind = String.valueOf(metadata.get("tokenizer.ggml.model"));
    ObjectNode json = JSON.createObjectNode();
    json.put("version", "1.0");
    json.putNull("truncation");
    json.putNull("padding");
    addedTokens(json.putArray("added_tokens"));
    switch (kind) {
      case "gpt2" -> byteLevel(json);
      case "llama" -> {
        boolean prefix =
            !(metadata.get("tokenizer.ggml.add_space_prefix") instanceof Boolean b) || b;
        ArrayNode merges = pieces(json, prefix);
        mergesByScore().forEach(m -> merges.addArray().add(m.left()).add(m.right()));
      }
      case GEMMA4 -> {
        ArrayNode merges = pieces(json, false);
        list("merges").forEach(m -> merges.add((String) m));
      }
      default ->
          throw new UserException(
              file
                  + ": the tokenizer kind \""
                  + kind
                  + "\" is not supported (gpt2, llama and gemma4 are).");
    }
    Optional<String> bos = special("bos_token_id");
    boolean addBos =
        metadata.get("tokenizer.ggml.add_bos_token") instanceof Boolean b
            ? b
            : !kind.equals("gpt2");
    AroundText.write(json, bos.filter(b -> addBos), Optional.empty());
    return json;
  }

  Tokenizer.Settings settings() {
    Set<Integer> stop = new HashSet<>();
    for (String key : List.of("eos_token_id", "eot_token_id")) {
      if (metadata.get("tokenizer.ggml." + key) instanceof Long id) {
        stop.add(id.intValue());
      }
    }
    Optional<String> template =
        metadata.get(GgufVocabulary.CHAT_TEMPLATE) instanceof String t
            ? Optional.of(t)
            : Optional.empty();
    return new Tokenizer.Settings(special("bos_token_id"), special("eos_token_id"), stop, template);
  }

  private void addedTokens(ArrayNode added) {
    for (int i = 0; i < types.size() && i < tokens.size(); i++) {
      if (types.get(i) == CONTROL || types.get(i) == USER_DEFINED) {
        ObjectNode node = added.addObject();
        node.put("id", i);
        node.put("content", tokens.get(i));
        node.put("single_word", false);
        node.put("lstrip", false);
        node.put("rstrip", false);
        node.put("normalized", false);
        node.put("special", types.get(i) == CONTROL);
      }
    }
  }

  private void byteLevel(ObjectNode json) {
    String pre = metadata.get("tokenizer.ggml.pre") instanceof String p ? p : "default";
    json.putNull("normalizer");
    if (!split(pre, json)) {
      throw new UserException(
          file
              + ": the pre-tokenizer \""
              + pre
              + "\" (tokenizer.ggml.pre) is not supported. Use the model's Hugging Face folder"
              + " as base_model instead.");
    }
    ObjectNode decoder = json.putObject("decoder").put("type", "ByteLevel");
    decoder.put("add_prefix_space", true).put("trim_offsets", true).put("use_regex", true);
    ObjectNode model = bpe(json, false);
    model.put("ignore_merges", List.of("llama-bpe", "tekken").contains(kind(pre)));
    ArrayNode merges = model.putArray("merges");
    for (Object merge : list("merges")) {
      String text = (String) merge;
      // Byte-level tokens hold no space, so the first one parts the pair.
      int space = text.indexOf(' ', 1);
      merges.addArray().add(text.substring(0, space)).add(text.substring(space + 1));
    }
  }

  /** One of {@link #PRE_TOKENIZERS} that splits as {@code pre} does; "" for none. */
  private static String kind(String pre) {
    return switch (pre) {
      case "default", "gpt-2", "phi-2", "mpt", "olmo", "jais", "gigachat" -> "gpt-2";
      case "smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b" ->
          "smollm";
      case "llama-bpe", "llama3", "llama-v3", "falcon3", "smaug-bpe", "dbrx", "pixtral" ->
          "llama-bpe";
      case "qwen2", "deepseek-r1-qwen", "megrez" -> "qwen2";
      case "qwen35" -> "qwen35";
      case "tekken" -> "tekken";
      case "gpt-4o", "llama4" -> "gpt-4o";
      default -> "";
    };
  }

  /**
   * Writes how words are split before they are joined.
   *
   * @param pre as {@code tokenizer.ggml.pre} has it
   * @return whether it is known
   */
  static boolean split(String pre, ObjectNode json) {
    ArrayNode steps =
        json.putObject("pre_tokenizer").put("type", "Sequence").putArray("pretokenizers");
    switch (kind(pre)) {
      case "gpt-2" -> gpt2(steps);
      case "smollm" -> {
        steps.addObject().put("type", "Digits").put("individual_digits", true);
        gpt2(steps);
      }
      case "llama-bpe" -> regex(steps, LLAMA3);
      case "qwen2" -> {
        json.putObject("normalizer").put("type", "NFC");
        regex(steps, QWEN2);
      }
      case "qwen35" -> {
        json.putObject("normalizer").put("type", "NFC");
        regex(steps, QWEN35);
      }
      case "tekken" -> regex(steps, String.format(UPPER_LOWER, "", "\\p{N}"));
      case "gpt-4o" -> regex(steps, String.format(UPPER_LOWER, CONTRACTIONS + "?", "\\p{N}{1,3}"));
      default -> {
        return false;
      }
    }
    return true;
  }

  private static void gpt2(ArrayNode steps) {
    steps
        .addObject()
        .put("type", "ByteLevel")
        .put("add_prefix_space", false)
        .put("trim_offsets", true)
        .put("use_regex", true);
  }

  private static void regex(ArrayNode steps, String pattern) {
    ObjectNode split = steps.addObject().put("type", "Split");
    split.putObject("pattern").put("Regex", pattern);
    split.put("behavior", "Isolated").put("invert", false);
    steps
        .addObject()
        .put("type", "ByteLevel")
        .put("add_prefix_space", false)
        .put("trim_offsets", true)
        .put("use_regex", false);
  }

  /**
   * SentencePiece's way of spaces and bytes; returns where the merges go.
   *
   * @param prefix whether a text begins with a space
   */
  private ArrayNode pieces(ObjectNode json, boolean prefix) {
    ArrayNode normalizers =
        json.putObject("normalizer").put("type", "Sequence").putArray("normalizers");
    if (prefix) {
      normalizers.addObject().put("type", "Prepend").put("prepend", "▁");
    }
    ObjectNode replace = normalizers.addObject().put("type", "Replace");
    replace.putObject("pattern").put("String", " ");
    replace.put("content", "▁");
    json.putNull("pre_tokenizer");
    ArrayNode decoders = json.putObject("decoder").put("type", "Sequence").putArray("decoders");
    ObjectNode back = decoders.addObject().put("type", "Replace");
    back.putObject("pattern").put("String", "▁");
    back.put("content", " ");
    decoders.addObject().put("type", "ByteFallback");
    decoders.addObject().put("type", "Fuse");
    if (prefix) {
      decoders.addObject().put("type", "Strip").put("content", " ").put("start", 1).put("stop", 0);
    }
    ObjectNode model = bpe(json, true);
    special("unknown_token_id").ifPresent(u -> model.put("unk_token", u));
    return model.putArray("merges");
  }

  private record Merge(String left, String right, double score) {}

  /**
   * SentencePiece joins the neighbours whose union has the best score; as a list of merges: every
   * way to cut a piece in two pieces, best first (transformers' generate_merges).
   */
  private List<Merge> mergesByScore() {
    Map<String, Integer> ids = new HashMap<>();
    for (int i = 0; i < tokens.size(); i++) {
      ids.put(tokens.get(i), i);
    }
    List<Object> scores = list("scores");
    if (scores.size() < tokens.size()) {
      throw new UserException(file + ": tokenizer.ggml.scores is missing or too short.");
    }
    List<Merge> merges = new ArrayList<>();
    for (int i = 0; i < tokens.size(); i++) {
      String piece = tokens.get(i);
      double score = (Double) scores.get(i);
      List<Merge> cuts = new ArrayList<>();
      for (int at = 1; at < piece.length(); at++) {
        String left = piece.substring(0, at);
        String right = piece.substring(at);
        if (ids.containsKey(left) && ids.containsKey(right)) {
          cuts.add(new Merge(left, right, score));
        }
      }
      cuts.sort(
          Comparator.<Merge>comparingInt(m -> ids.get(m.left()))
              .thenComparingInt(m -> ids.get(m.right())));
      merges.addAll(cuts);
    }
    merges.sort(
        Comparator.<Merge>comparingDouble(m -> -m.score())
            .thenComparingInt(m -> -m.left().codePointCount(0, m.left().length()))
            .thenComparingInt(m -> -m.right().codePointCount(0, m.right().length())));
    return merges;
  }

  private ObjectNode bpe(ObjectNode json, boolean byteFallback) {
    ObjectNode model = json.putObject("model").put("type", "BPE");
    model.putNull("dropout");
    model.putNull("unk_token");
    model.putNull("continuing_subword_prefix");
    model.putNull("end_of_word_suffix");
    model.put("fuse_unk", byteFallback);
    model.put("byte_fallback", byteFallback);
    ObjectNode vocabulary = model.putObject("vocab");
    for (int i = 0; i < tokens.size(); i++) {
      vocabulary.put(tokens.get(i), i);
    }
    return model;
  }

  private Optional<String> special(String key) {
    return metadata.get("tokenizer.ggml." + key) instanceof Long id && id >= 0 && id < tokens.size()
        ? Optional.of(tokens.get(id.intValue()))
        : Optional.empty();
  }

  private List<Object> list(String key) {
    return metadata.get("tokenizer.ggml." + key) instanceof List<?> list
        ? new ArrayList<>(list)
        : List.of();
  }
}

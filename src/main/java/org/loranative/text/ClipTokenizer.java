package org.loranative.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.loranative.UserException;

/**
 * CLIP's tokenizer: texts as rows of a fixed number of tokens. A longer text takes several rows,
 * each with its own begin and end, as the popular interfaces for Stable Diffusion do it.
 */
public final class ClipTokenizer implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String WORDS =
      "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";

  private final Tokenizer tokenizer;
  private final int begin;
  private final int end;
  private final int pad;

  private ClipTokenizer(Tokenizer tokenizer, int begin, int end, int pad) {
    this.tokenizer = tokenizer;
    this.begin = begin;
    this.end = end;
    this.pad = pad;
  }

  /** Whether a folder holds one. */
  public static boolean isIn(Path folder) {
    return Files.exists(folder.resolve("vocab.json"))
        || Files.exists(folder.resolve("tokenizer.json"));
  }

  /** A folder with vocab.json and merges.txt, or with tokenizer.json. */
  public static ClipTokenizer fromFolder(Path folder) {
    return fromFolder(folder, false);
  }

  /**
   * @param padsWithZero as OpenCLIP does, whatever the folder says
   */
  public static ClipTokenizer fromFolder(Path folder, boolean padsWithZero) {
    Path vocabFile = folder.resolve("vocab.json");
    Path json = folder.resolve("tokenizer.json");
    if (!isIn(folder)) {
      throw new UserException(
          folder
              + " has neither vocab.json and merges.txt nor tokenizer.json: the base model's"
              + " tokenizer is missing.");
    }
    JsonNode vocab =
        Files.exists(vocabFile) ? read(vocabFile) : read(json).path("model").path("vocab");
    JsonNode names = read(folder.resolve("tokenizer_config.json"));
    String begin = name(names, "bos_token", "<|startoftext|>");
    String end = name(names, "eos_token", "<|endoftext|>");
    String pad = name(names, "pad_token", end);
    JsonNode whole = Files.exists(json) ? read(json) : describe(folder, vocab, List.of(begin, end));
    Tokenizer tokenizer =
        new Tokenizer(
            folder.toString(),
            whole,
            new Tokenizer.Settings(
                Optional.of(begin), Optional.of(end), Set.of(), Optional.empty()));
    return new ClipTokenizer(
        tokenizer,
        id(folder, vocab, begin),
        id(folder, vocab, end),
        padsWithZero ? 0 : id(folder, vocab, pad));
  }

  private static String name(JsonNode names, String key, String otherwise) {
    JsonNode node = names.path(key).isObject() ? names.path(key).path("content") : names.path(key);
    return node.asText(otherwise).isEmpty() ? otherwise : node.asText(otherwise);
  }

  private static int id(Path folder, JsonNode vocab, String token) {
    if (!vocab.path(token).isInt()) {
      throw new UserException(folder + ": its vocabulary lacks the token " + token + ".");
    }
    return vocab.path(token).asInt();
  }

  private static JsonNode read(Path file) {
    try {
      return Files.exists(file) ? JSON.readTree(file.toFile()) : JSON.createObjectNode();
    } catch (IOException e) {
      throw new UserException(file + " is not JSON: " + e.getMessage(), e);
    }
  }

  /** The tokenizer.json that vocab.json and merges.txt stand for (transformers' CLIPConverter). */
  private static JsonNode describe(Path folder, JsonNode vocab, List<String> special) {
    ObjectNode json = JSON.createObjectNode();
    json.put("version", "1.0");
    ArrayNode added = json.putArray("added_tokens");
    for (String token : special) {
      ObjectNode node = added.addObject();
      node.put("id", id(folder, vocab, token)).put("content", token).put("special", true);
      node.put("single_word", false).put("lstrip", false).put("rstrip", false);
      node.put("normalized", false);
    }
    ObjectNode normalizer = json.putObject("normalizer");
    normalizer.put("type", "Sequence");
    ArrayNode steps = normalizer.putArray("normalizers");
    steps.addObject().put("type", "NFC");
    ObjectNode spaces = steps.addObject().put("type", "Replace").put("content", " ");
    spaces.putObject("pattern").put("Regex", "\\s+");
    steps.addObject().put("type", "Lowercase");
    ObjectNode words = json.putObject("pre_tokenizer").put("type", "Sequence");
    ArrayNode parts = words.putArray("pretokenizers");
    ObjectNode split = parts.addObject().put("type", "Split").put("behavior", "Removed");
    split.put("invert", true).putObject("pattern").put("Regex", WORDS);
    ObjectNode bytes = parts.addObject().put("type", "ByteLevel").put("add_prefix_space", false);
    bytes.put("trim_offsets", true).put("use_regex", true);
    ObjectNode model = json.putObject("model").put("type", "BPE");
    model.put("unk_token", special.get(1)).put("continuing_subword_prefix", "");
    model.put("end_of_word_suffix", "</w>").put("fuse_unk", false);
    model.set("vocab", vocab);
    ArrayNode merges = model.putArray("merges");
    Path file = folder.resolve("merges.txt");
    try {
      Files.readAllLines(file).stream()
          .filter(line -> !line.startsWith("#version") && !line.isBlank())
          .forEach(merges::add);
    } catch (IOException e) {
      throw new UserException(file + " cannot be read: " + e.getMessage(), e);
    }
    return json;
  }

  /** The token that ends a text. */
  public int end() {
    return end;
  }

  /** A text's tokens, without begin and end. */
  public int[] tokens(String text) {
    int[] ids = tokenizer.encode(text, false).ids();
    return Arrays.stream(ids).filter(id -> id != begin && id != end).toArray();
  }

  /** The text as rows of {@code length} tokens: begin, text, end, padding; at least one. */
  public List<int[]> rows(String text, int length) {
    int[] ids = tokens(text);
    int room = length - 2;
    List<int[]> rows = new ArrayList<>();
    for (int from = 0; from == 0 || from < ids.length; from += room) {
      int n = Math.min(room, ids.length - from);
      int[] row = new int[length];
      Arrays.fill(row, pad);
      row[0] = begin;
      System.arraycopy(ids, from, row, 1, n);
      row[n + 1] = end;
      rows.add(row);
    }
    return rows;
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}

package org.loranative.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.zip.GZIPInputStream;
import org.loranative.UserException;
import org.loranative.io.LfsPointer;

/**
 * CLIP's byte pairs: tokens with their ids, and the merges that make them.
 *
 * @param source for messages
 */
record ClipVocabulary(String source, JsonNode ids, List<String> merges) {
  static final String BEGIN = "<|startoftext|>";
  static final String END = "<|endoftext|>";

  /** Tokens of CLIP's own vocabulary. */
  static final int TOKENS = 49408;

  private static final String RESOURCE = "/clip/bpe_simple_vocab_16e6.txt.gz";
  private static final int BYTES = 256;
  private static final String WORD_END = "</w>";
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String WORDS =
      "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";

  /** Those of a folder with vocab.json and merges.txt. */
  static ClipVocabulary read(Path folder, JsonNode ids) {
    Path file = folder.resolve("merges.txt");
    LfsPointer.refuse(file);
    try {
      List<String> merges =
          Files.readAllLines(file).stream()
              .filter(line -> !line.startsWith("#version") && !line.isBlank())
              .toList();
      return new ClipVocabulary(folder.toString(), ids, merges);
    } catch (IOException e) {
      throw new UserException(file + " cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * CLIP's own (OpenAI's, as open_clip hands it on): 256 bytes, alone and at a word's end, what the
   * first merges make, begin and end.
   */
  static ClipVocabulary builtIn() {
    Set<String> tokens = new LinkedHashSet<>(bytes());
    bytes().forEach(b -> tokens.add(b + WORD_END));
    List<String> merges = new ArrayList<>();
    try (InputStream packed = ClipVocabulary.class.getResourceAsStream(RESOURCE);
        BufferedReader lines =
            new BufferedReader(
                new InputStreamReader(new GZIPInputStream(packed), StandardCharsets.UTF_8))) {
      lines.readLine(); // a title
      while (tokens.size() < TOKENS - 2) {
        String merge = lines.readLine();
        merges.add(merge);
        tokens.add(merge.replace(" ", ""));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    tokens.add(BEGIN);
    tokens.add(END);
    ObjectNode ids = JSON.createObjectNode();
    tokens.forEach(token -> ids.put(token, ids.size()));
    return new ClipVocabulary("CLIP's vocabulary", ids, merges);
  }

  /** Each byte as a visible character, in CLIP's order: printable ones first, as themselves. */
  private static List<String> bytes() {
    List<String> visible = new ArrayList<>();
    List<String> others = new ArrayList<>();
    for (int b = 0; b < BYTES; b++) {
      boolean printable = b >= '!' && b <= '~' || b >= '¡' && b <= '¬' || b >= '®';
      if (printable) {
        visible.add(String.valueOf((char) b));
      } else {
        others.add(String.valueOf((char) (BYTES + others.size())));
      }
    }
    visible.addAll(others);
    return visible;
  }

  /** The id of a token, which must be there. */
  int id(String token) {
    if (!ids.path(token).isInt()) {
      throw new UserException(source + ": its vocabulary lacks the token " + token + ".");
    }
    return ids.path(token).asInt();
  }

  /** Adds a token that texts may name, which is then never taken apart, unless it is there. */
  void addSpecial(ObjectNode json, String token) {
    ArrayNode added = json.withArray("/added_tokens");
    for (JsonNode known : added) {
      if (known.path("content").asText().equals(token)) {
        return;
      }
    }
    ObjectNode node = added.addObject();
    node.put("id", id(token)).put("content", token).put("special", true);
    node.put("single_word", false).put("lstrip", false).put("rstrip", false);
    node.put("normalized", false);
  }

  /** The tokenizer.json that they stand for (transformers' CLIPConverter). */
  ObjectNode tokenizerJson(String unknown) {
    ObjectNode json = JSON.createObjectNode();
    json.put("version", "1.0");
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
    model.put("unk_token", unknown).put("continuing_subword_prefix", "");
    model.put("end_of_word_suffix", WORD_END).put("fuse_unk", false);
    model.set("vocab", ids);
    merges.forEach(model.putArray("merges")::add);
    return json;
  }
}

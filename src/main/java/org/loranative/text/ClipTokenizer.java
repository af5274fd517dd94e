package org.loranative.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.loranative.UserException;
import org.loranative.io.JsonFile;

/**
 * CLIP's tokenizer: texts as rows of a fixed number of tokens. A longer text takes several rows,
 * each with its own begin and end, as the popular interfaces for Stable Diffusion do it.
 */
public final class ClipTokenizer implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Tokens of the vocabulary that is built in. */
  public static final int BUILT_IN_TOKENS = ClipVocabulary.TOKENS;

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
        || Files.exists(folder.resolve("tokenizer.json")) && !Tokenizers.isUnigram(folder);
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
    JsonNode ids =
        Files.exists(vocabFile) ? read(vocabFile) : read(json).path("model").path("vocab");
    SpecialNames names = SpecialNames.of(folder);
    ClipVocabulary vocabulary =
        Files.exists(json)
            ? new ClipVocabulary(folder.toString(), ids, List.of())
            : ClipVocabulary.read(folder, ids);
    ObjectNode whole =
        Files.exists(json) && read(json) instanceof ObjectNode object
            ? object
            : vocabulary.tokenizerJson(names.end());
    return of(vocabulary, whole, names, padsWithZero ? 0 : vocabulary.id(names.pad()));
  }

  /**
   * With CLIP's own vocabulary, which every Stable Diffusion has.
   *
   * @param padsWithZero as OpenCLIP does, else with the end
   */
  public static ClipTokenizer builtIn(boolean padsWithZero) {
    ClipVocabulary vocabulary = ClipVocabulary.builtIn();
    SpecialNames names = SpecialNames.USUAL;
    return of(
        vocabulary,
        vocabulary.tokenizerJson(names.end()),
        names,
        padsWithZero ? 0 : vocabulary.id(names.pad()));
  }

  private static ClipTokenizer of(
      ClipVocabulary vocabulary, ObjectNode json, SpecialNames names, int pad) {
    List.of(names.begin(), names.end(), names.pad()).forEach(t -> vocabulary.addSpecial(json, t));
    Tokenizer tokenizer =
        new Tokenizer(
            vocabulary.source(),
            json,
            new Tokenizer.Settings(
                Optional.of(names.begin()), Optional.of(names.end()), Set.of(), Optional.empty()));
    return new ClipTokenizer(
        tokenizer, vocabulary.id(names.begin()), vocabulary.id(names.end()), pad);
  }

  /** What a folder calls the tokens that frame and fill a text. */
  private record SpecialNames(String begin, String end, String pad) {
    static final SpecialNames USUAL =
        new SpecialNames(ClipVocabulary.BEGIN, ClipVocabulary.END, ClipVocabulary.END);

    /**
     * As transformers reads them: tokenizer_config.json holds where it lists its tokens itself;
     * else special_tokens_map.json goes before it (Stable Diffusion 2's "!" stands only there).
     */
    static SpecialNames of(Path folder) {
      JsonNode config = read(folder.resolve("tokenizer_config.json"));
      JsonNode map =
          config.has("added_tokens_decoder")
              ? JSON.createObjectNode()
              : read(folder.resolve("special_tokens_map.json"));
      String end = name(map, config, "eos_token", USUAL.end());
      return new SpecialNames(
          name(map, config, "bos_token", USUAL.begin()), end, name(map, config, "pad_token", end));
    }

    private static String name(JsonNode map, JsonNode config, String key, String otherwise) {
      return Stream.of(map, config)
          .map(node -> node.path(key).isObject() ? node.path(key).path("content") : node.path(key))
          .map(node -> node.asText(""))
          .filter(text -> !text.isEmpty())
          .findFirst()
          .orElse(otherwise);
    }
  }

  private static JsonNode read(Path file) {
    return Files.exists(file) ? JsonFile.read(file) : JSON.createObjectNode();
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

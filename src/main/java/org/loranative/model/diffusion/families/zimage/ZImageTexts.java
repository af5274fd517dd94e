package org.loranative.model.diffusion.families.zimage;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.loranative.UserException;
import org.loranative.model.diffusion.TextReader;
import org.loranative.model.diffusion.TextRows;
import org.loranative.model.llm.LlmGraph;
import org.loranative.text.Tokenizer;
import org.loranative.text.Tokenizers;

/** Texts as what a user asks a Qwen3 that thinks (ZImagePipeline), and where they end. */
final class ZImageTexts implements TextReader {
  /** What the names of its inputs begin with. */
  static final String PREFIX = "text_encoder.";

  /** What diffusers' pipeline takes. */
  static final int TOKENS = 512;

  /** Images' and texts' tokens are filled up to multiples of this. */
  static final int MULTIPLE = 32;

  /** Inputs of the transformer: which row of text or filling stands where. */
  static final String ROWS = "rows";

  /** Tokens of each text, filled up. */
  static final String LENGTHS = "lengths";

  /** Rows behind them. */
  static final String PADDING = "padding";

  private static final String BEFORE = "<|im_start|>user\n";
  private static final String BEHIND = "<|im_end|>\n<|im_start|>assistant\n";

  private final Tokenizer tokenizer;
  private final int vocab;

  ZImageTexts(Path folder, int vocab) {
    this.tokenizer = Tokenizers.fromFolder(folder);
    this.vocab = vocab;
  }

  private int[] tokens(String text) {
    int[] ids = tokenizer.encode(BEFORE + text + BEHIND, false).ids();
    for (int id : ids) {
      if (id >= vocab) {
        throw new UserException(
            String.format(
                "The tokenizer of the base's text encoder gives token %d, but the encoder knows"
                    + " %d; it is another model's.",
                id, vocab));
      }
    }
    return ids;
  }

  private int[] lengths(List<String> texts) {
    return texts.stream().mapToInt(t -> Math.min(TOKENS, tokens(t).length)).toArray();
  }

  @Override
  public TextRows rows(List<String> texts) {
    return first(texts);
  }

  @Override
  public TextRows first(List<String> texts) {
    int[] ids = new int[texts.size() * TOKENS];
    for (int i = 0; i < texts.size(); i++) {
      int[] own = tokens(texts.get(i));
      System.arraycopy(own, 0, ids, i * TOKENS, Math.min(TOKENS, own.length));
    }
    Map<String, int[]> inputs = new LinkedHashMap<>();
    inputs.put(PREFIX + LlmGraph.IDS, ids);
    TextRows.putPositions(inputs, PREFIX, ids.length, TOKENS);
    return new TextRows(1, inputs);
  }

  @Override
  public Map<String, int[]> told(List<String> texts) {
    return told(lengths(texts), TOKENS);
  }

  /**
   * @param own tokens of each text
   * @param tokens rows of each
   */
  static Map<String, int[]> told(int[] own, int tokens) {
    int[] rows = new int[own.length * tokens];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = i % tokens < own[i / tokens] ? i : rows.length;
    }
    int[] lengths = Arrays.stream(own).map(ZImageTexts::filledUp).toArray();
    int[] padding = Arrays.stream(lengths).map(n -> tokens - n).toArray();
    return Map.of(ROWS, rows, LENGTHS, lengths, PADDING, padding);
  }

  private static int filledUp(int tokens) {
    int multiple = MULTIPLE;
    return (tokens + multiple - 1) / multiple * multiple;
  }

  @Override
  public OptionalInt cutAt(String text) {
    return tokens(text).length > TOKENS ? OptionalInt.of(TOKENS) : OptionalInt.empty();
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}

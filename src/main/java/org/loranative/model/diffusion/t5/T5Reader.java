package org.loranative.model.diffusion.t5;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.loranative.UserException;
import org.loranative.model.diffusion.TextReader;
import org.loranative.model.diffusion.TextRows;
import org.loranative.text.Tokenizer;
import org.loranative.text.Tokenizers;

/** Texts as T5 reads them: a row of tokens each, ended, filled up, what is longer cut. */
public final class T5Reader implements TextReader {
  /** Of every T5: pad_token_id and eos_token_id. */
  private static final int PAD = 0;

  private static final int END = 1;

  private final Tokenizer tokenizer;
  private final T5Config config;
  private final String prefix;
  private final int length;

  /**
   * @param folder with a tokenizer.json or spiece.model
   * @param prefix of the encoder's inputs
   * @param length tokens of a row
   */
  public T5Reader(Path folder, T5Config config, String prefix, int length) {
    this.tokenizer = Tokenizers.fromFolder(folder);
    this.config = config;
    this.prefix = prefix;
    this.length = length;
  }

  @Override
  public TextRows rows(List<String> texts) {
    return first(texts);
  }

  @Override
  public TextRows first(List<String> texts) {
    List<int[]> rows = new ArrayList<>();
    for (String text : texts) {
      int[] ids = tokens(text);
      int[] row = new int[length];
      Arrays.fill(row, PAD);
      int n = Math.min(ids.length, length - 1);
      System.arraycopy(ids, 0, row, 0, n);
      row[n] = END;
      rows.add(row);
    }
    int[] flat = rows.stream().flatMapToInt(Arrays::stream).toArray();
    return new TextRows(
        1, Map.of(prefix + "ids", flat, prefix + "distances", config.distances(length)));
  }

  private int[] tokens(String text) {
    int[] ids = tokenizer.encode(text, false).ids();
    for (int id : ids) {
      if (id >= config.vocab()) {
        throw new UserException(
            String.format(
                "The tokenizer of the base's T5 gives token %d, but T5 knows %d; it is another"
                    + " model's.",
                id, config.vocab()));
      }
    }
    return ids;
  }

  @Override
  public OptionalInt cutAt(String text) {
    return tokens(text).length > length - 1 ? OptionalInt.of(length - 1) : OptionalInt.empty();
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}

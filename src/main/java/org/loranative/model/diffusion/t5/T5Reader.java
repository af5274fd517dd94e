package org.loranative.model.diffusion.t5;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
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

  /** The name of an input. */
  static final String PADDING = "padding";

  private final Tokenizer tokenizer;
  private final T5Place place;

  /**
   * @param folder with a tokenizer.json or spiece.model
   */
  T5Reader(Path folder, T5Place place) {
    this.tokenizer = Tokenizers.fromFolder(folder);
    this.place = place;
  }

  @Override
  public TextRows rows(List<String> texts) {
    return first(texts);
  }

  @Override
  public TextRows first(List<String> texts) {
    int length = place.tokens();
    int[] all = new int[texts.size() * length];
    Arrays.fill(all, PAD);
    int[] padding = new int[texts.size()];
    for (int i = 0; i < padding.length; i++) {
      int[] ids = tokens(texts.get(i));
      int n = Math.min(ids.length, length - 1);
      System.arraycopy(ids, 0, all, i * length, n);
      all[i * length + n] = END;
      padding[i] = length - 1 - n;
    }
    Map<String, int[]> inputs = new LinkedHashMap<>();
    inputs.put(place.prefix() + "ids", all);
    inputs.put(place.prefix() + "distances", place.config().distances(length));
    if (place.masked()) {
      inputs.put(place.prefix() + PADDING, padding);
    }
    return new TextRows(1, inputs);
  }

  /** How many tokens at the end of each text's row fill it up. */
  public int[] padding(List<String> texts) {
    return texts.stream()
        .mapToInt(t -> Math.max(0, place.tokens() - 1 - tokens(t).length))
        .toArray();
  }

  private int[] tokens(String text) {
    int[] ids = tokenizer.encode(text, false).ids();
    for (int id : ids) {
      if (id >= place.config().vocab()) {
        throw new UserException(
            String.format(
                "The tokenizer of the base's T5 gives token %d, but T5 knows %d; it is another"
                    + " model's.",
                id, place.config().vocab()));
      }
    }
    return ids;
  }

  @Override
  public OptionalInt cutAt(String text) {
    return tokens(text).length > place.tokens() - 1
        ? OptionalInt.of(place.tokens() - 1)
        : OptionalInt.empty();
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}

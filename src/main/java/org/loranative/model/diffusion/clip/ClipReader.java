package org.loranative.model.diffusion.clip;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.loranative.UserException;
import org.loranative.model.diffusion.TextReader;
import org.loranative.model.diffusion.TextRows;
import org.loranative.text.ClipTokenizer;

/** Texts as one or more of CLIP's encoders read them side by side. */
public final class ClipReader implements TextReader {
  private final List<Part> parts = new ArrayList<>();
  private final int length;

  /**
   * One encoder's.
   *
   * @param prefix of its inputs
   */
  private record Part(String prefix, ClipTokenizer tokenizer, int vocab, boolean pooled) {
    private int[] checked(int[] ids) {
      for (int id : ids) {
        if (id >= vocab) {
          throw new UserException(
              String.format(
                  "The tokenizer of the base's CLIP gives token %d, but CLIP knows %d; it is"
                      + " another model's. Name the base's own with tokenizer_path (--tokenizer).",
                  id, vocab));
        }
      }
      return ids;
    }
  }

  /**
   * @param places of the tokenizers, by their encoders' prefixes
   * @param pooled the prefixes of encoders whose states at a text's end are read
   */
  public ClipReader(Map<String, TokenizerPlace> places, Set<String> pooled) {
    length = places.values().iterator().next().encoder().positions();
    boolean opened = false;
    try {
      places.forEach(
          (prefix, place) ->
              parts.add(
                  new Part(
                      prefix, place.open(), place.encoder().vocab(), pooled.contains(prefix))));
      opened = true;
    } finally {
      if (!opened) {
        close();
      }
    }
  }

  @Override
  public TextRows rows(List<String> texts) {
    int rows =
        texts.stream()
            .flatMap(t -> parts.stream().map(p -> p.tokenizer().rows(t, length).size()))
            .max(Integer::compare)
            .orElseThrow();
    return rows(texts, rows);
  }

  @Override
  public TextRows first(List<String> texts) {
    return rows(texts, 1);
  }

  private TextRows rows(List<String> texts, int perText) {
    Map<String, int[]> inputs = new HashMap<>();
    for (Part part : parts) {
      List<int[]> all = new ArrayList<>();
      for (String text : texts) {
        List<int[]> own = new ArrayList<>(part.tokenizer().rows(text, length));
        while (own.size() < perText) {
          own.addAll(part.tokenizer().rows("", length));
        }
        all.addAll(own.subList(0, perText));
      }
      int[] flat = part.checked(all.stream().flatMapToInt(Arrays::stream).toArray());
      inputs.put(part.prefix() + "ids", flat);
      TextRows.putPositions(inputs, part.prefix(), flat.length, length);
      if (part.pooled()) {
        inputs.put(part.prefix() + "end_rows", ends(flat, part.tokenizer().end()));
      }
    }
    return new TextRows(perText, inputs);
  }

  /** Where each row has its first end. */
  private int[] ends(int[] ids, int end) {
    int[] ends = new int[ids.length / length];
    for (int i = ids.length - 1; i >= 0; i--) {
      if (ids[i] == end) {
        ends[i / length] = i;
      }
    }
    return ends;
  }

  @Override
  public OptionalInt cutAt(String text) {
    int most = length - 2; // its begin and end
    return parts.get(0).tokenizer().tokens(text).length > most
        ? OptionalInt.of(most)
        : OptionalInt.empty();
  }

  @Override
  public void close() {
    parts.forEach(p -> p.tokenizer().close());
  }
}

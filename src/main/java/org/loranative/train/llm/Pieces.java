package org.loranative.train.llm;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.loranative.data.llm.Example;
import org.loranative.text.Tokenizer;
import org.loranative.train.Task;

/**
 * An example as text, token by token, so that each can be shown with its loss. Tokens that are
 * parts of one character make one piece.
 */
final class Pieces {
  /** What decoding gives for a part of a character. */
  private static final String PART = "\ufffd";

  /** Tokens of a character at most, four bytes and some room. */
  private static final int MOST = 8;

  private Pieces() {}

  /** Tokens [from, to) that make whole characters. */
  record Tokens(String text, int from, int to) {}

  /** The pieces in order; together they are the text, with the names of special tokens. */
  static List<Task.Piece> of(Example example, Tokenizer tokenizer) {
    return tokens(example, tokenizer).stream()
        .map(t -> piece(t.text(), example.labels(), t.from(), t.to()))
        .toList();
  }

  /** The same, by tokens. */
  static List<Tokens> tokens(Example example, Tokenizer tokenizer) {
    List<Tokens> pieces = new ArrayList<>();
    int[] ids = example.ids();
    int before = 0;
    int i = 0;
    while (i < ids.length) {
      int end = i + 1;
      String text = text(ids, before, i, end, tokenizer);
      while (text.endsWith(PART)
          && end < ids.length
          && end < i + MOST
          && !tokenizer.isSpecial(ids[end])) {
        text = text(ids, before, i, ++end, tokenizer);
      }
      pieces.add(new Tokens(text, i, end));
      before = tokenizer.isSpecial(ids[i]) ? end : i;
      i = end;
    }
    return pieces;
  }

  /** Tokens [from, to) are learnt by the items before them. */
  private static Task.Piece piece(String text, int[] labels, int from, int to) {
    int first = Math.max(0, from - 1);
    while (first < to - 1 && labels[first] < 0) {
      first++;
    }
    int end = Math.max(first, to - 1);
    while (end > first && labels[end - 1] < 0) {
      end--;
    }
    return new Task.Piece(text, first, end);
  }

  /**
   * The text of tokens [from, to): what they add to the piece before, since a space may be there
   * only behind another token.
   */
  private static String text(int[] ids, int before, int from, int to, Tokenizer tokenizer) {
    if (tokenizer.isSpecial(ids[from])) {
      return tokenizer.text(ids[from]);
    }
    String without = tokenizer.decode(Arrays.copyOfRange(ids, before, from));
    String with = tokenizer.decode(Arrays.copyOfRange(ids, before, to));
    return with.startsWith(without)
        ? with.substring(without.length())
        : tokenizer.decode(Arrays.copyOfRange(ids, from, to));
  }
}

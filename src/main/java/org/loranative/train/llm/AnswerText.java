package org.loranative.train.llm;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * The text of an answer as its tokens come. What could still become a stop string, or is part of a
 * character, is held back.
 */
final class AnswerText {
  /** Stands for a character of several tokens until the last of them is there. */
  private static final String PARTIAL = "\uFFFD";

  private final Function<int[], String> decoder;
  private final List<String> stops;
  private final Predicate<String> onText;
  private final List<Integer> tokens = new ArrayList<>();
  private final StringBuilder text = new StringBuilder();

  /** Tokens before {@code from} are done with; those before {@code read} are in the text. */
  private int from;

  private int read;
  private int shown;
  private boolean stopped;
  private boolean refused;

  /**
   * @param stops strings that end the answer and are not part of it
   * @param onText receives the text piece by piece; false ends the answer
   */
  AnswerText(Function<int[], String> decoder, List<String> stops, Predicate<String> onText) {
    this.decoder = decoder;
    this.stops = stops;
    this.onText = onText;
  }

  /** Takes a token; returns whether the answer goes on. */
  boolean take(int token) {
    tokens.add(token);
    // Decoded with the tokens before them, on which spaces depend.
    String before = decode(from, read);
    String all = decode(from, tokens.size());
    if (!all.endsWith(PARTIAL) && all.length() > before.length()) {
      append(all.substring(before.length()));
      from = read;
      read = tokens.size();
    }
    return !stopped && !refused;
  }

  /** The whole answer; what was held back is shown now, but no part of a character. */
  String end() {
    if (!stopped) {
      String before = decode(from, read);
      String all = decode(from, tokens.size());
      if (all.length() > before.length()) {
        append(all.substring(before.length()).replaceFirst(PARTIAL + "+$", ""));
      }
    }
    show(text.length());
    return text.toString();
  }

  /** Whether a stop string ended it. */
  boolean isStopped() {
    return stopped;
  }

  /** Whether the receiver ended it. */
  boolean isRefused() {
    return refused;
  }

  private void append(String piece) {
    int searched = text.length();
    text.append(piece);
    int end = text.length();
    for (String stop : stops) {
      int at = text.indexOf(stop, Math.max(0, searched - stop.length() + 1));
      if (at >= 0 && at < end) {
        end = at;
        stopped = true;
      }
    }
    text.setLength(end);
    show(stopped ? end : end - beginningOfStop());
  }

  /** How many characters at the end begin a stop string. */
  private int beginningOfStop() {
    int most = 0;
    for (String stop : stops) {
      for (int n = Math.min(stop.length() - 1, text.length()); n > most; n--) {
        if (text.substring(text.length() - n).equals(stop.substring(0, n))) {
          most = n;
        }
      }
    }
    return most;
  }

  private void show(int until) {
    if (until > shown && !refused) {
      refused = !onText.test(text.substring(shown, until));
      shown = until;
    }
  }

  private String decode(int start, int end) {
    int[] ids = tokens.subList(start, end).stream().mapToInt(Integer::intValue).toArray();
    return ids.length == 0 ? "" : decoder.apply(ids);
  }
}

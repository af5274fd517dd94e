package org.loranative.text;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * A regular expression that finds any of some words, the longest first. What words begin with in
 * common stands there once, so that a text is looked at about once, however many there are.
 */
final class AnyOf {
  private AnyOf() {}

  /**
   * @param words at least one
   */
  static String regex(Collection<String> words) {
    Map<Integer, List<String>> rests = new TreeMap<>();
    boolean mayEnd = false;
    for (String word : words) {
      if (word.isEmpty()) {
        mayEnd = true;
      } else {
        int first = word.codePointAt(0);
        rests
            .computeIfAbsent(first, c -> new ArrayList<>())
            .add(word.substring(Character.charCount(first)));
      }
    }
    if (rests.isEmpty()) {
      return "";
    }
    return rests.entrySet().stream()
        .map(e -> literal(e.getKey()) + regex(e.getValue()))
        .collect(Collectors.joining("|", "(?:", mayEnd ? ")?" : ")"));
  }

  private static String literal(int codePoint) {
    return codePoint > 0x7f || Character.isLetterOrDigit(codePoint)
        ? Character.toString(codePoint)
        : String.format("\\x%02X", codePoint);
  }
}

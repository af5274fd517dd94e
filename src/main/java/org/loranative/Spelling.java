package org.loranative;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/** What a user may have meant by a name that is not there. */
public final class Spelling {
  private Spelling() {}

  /** The known name that is fewest edits away; of several the first. */
  public static Optional<String> nearest(String name, Collection<String> known) {
    return known.stream().min(Comparator.comparingInt(k -> distance(k, name)));
  }

  /** The same, if no more than a third of the name is wrong. */
  public static Optional<String> near(String name, Collection<String> known) {
    return nearest(name, known).filter(k -> 3 * distance(k, name) <= Math.max(3, name.length()));
  }

  /** Levenshtein's distance. */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int change = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(change, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[b.length()];
  }
}

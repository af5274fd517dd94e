package org.loranative.data.llm;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import org.loranative.data.Source;

/** What is odd about records that are used all the same, counted for each kind. */
final class Oddities {
  private static final class Tally {
    private final Source first;
    private int records;

    Tally(Source first) {
      this.first = first;
    }
  }

  private final Map<String, Tally> kinds = new LinkedHashMap<>();

  /** What is odd about a record; what is said twice counts once. */
  void add(List<String> odd, Source source) {
    for (String kind : new LinkedHashSet<>(odd)) {
      kinds.computeIfAbsent(kind, k -> new Tally(source)).records++;
    }
  }

  /** A sentence for each kind. */
  List<String> sentences() {
    return kinds.entrySet().stream()
        .map(
            e ->
                String.format(
                    "%s: %s (%d record%s in all)",
                    e.getValue().first,
                    e.getKey(),
                    e.getValue().records,
                    e.getValue().records == 1 ? "" : "s"))
        .toList();
  }
}

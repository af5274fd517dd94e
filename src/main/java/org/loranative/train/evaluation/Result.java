package org.loranative.train.evaluation;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a measure found.
 *
 * @param size what was measured, in words
 * @param notes what was left out or cut
 * @param sentences what the figures say
 * @param records each record's scores, for the report
 */
public record Result(
    String measure,
    String size,
    List<String> notes,
    List<Figure> figures,
    List<String> sentences,
    List<Map<String, Object>> records) {

  static <S> Result of(String measure, Exam<S> exam, List<S> base, Optional<List<S>> adapted) {
    Exam.Outcome outcome = exam.outcome(base, adapted);
    List<Map<String, Object>> records = new ArrayList<>();
    for (int i = 0; i < base.size(); i++) {
      Map<String, Object> record = new LinkedHashMap<>(exam.records().get(i));
      record.put("base", base.get(i));
      if (adapted.isPresent()) {
        record.put("adapter", adapted.get().get(i));
      }
      records.add(record);
    }
    return new Result(
        measure, exam.size(), exam.notes(), outcome.figures(), outcome.sentences(), records);
  }

  /** A table in lines for people, and what it says. */
  public String describe() {
    List<List<String>> rows = new ArrayList<>();
    boolean compared = figures.stream().anyMatch(f -> f.comparison().isPresent());
    rows.add(compared ? List.of("", "base", "adapter", "difference") : List.of("", "base"));
    for (Figure f : figures) {
      List<String> row = new ArrayList<>(List.of(f.name(), f.unit().show(f.base())));
      f.comparison()
          .ifPresent(
              c -> {
                row.add(f.unit().show(c.adapted()));
                row.add(c.changeUnit().show(c.change()));
              });
      rows.add(row);
    }
    StringBuilder lines = new StringBuilder();
    lines.append(String.format("%s: %s%n", measure, size));
    notes.forEach(n -> lines.append(String.format("%s%n", n)));
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder(" ");
      for (int c = 0; c < row.size(); c++) {
        int column = c;
        int width = rows.stream().mapToInt(r -> r.get(column).length()).max().orElse(1);
        line.append(' ')
            .append(String.format("%-" + Math.max(1, width) + "s", row.get(c)))
            .append(' ');
      }
      lines.append(String.format("%s%n", line.toString().stripTrailing()));
    }
    sentences.forEach(s -> lines.append(String.format("%s%n", s)));
    return lines.toString();
  }

  /** For the report. */
  public Map<String, Object> told() {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("measure", measure);
    all.put("size", size);
    all.put("notes", notes);
    Map<String, Object> numbers = new LinkedHashMap<>();
    figures.forEach(f -> numbers.put(f.key(), f.told()));
    all.put("figures", numbers);
    all.put("says", sentences);
    all.put("records", records);
    return all;
  }
}

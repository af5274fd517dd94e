package org.loranative.train.runs;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.loranative.track.StepLine;

/** Runs and the settings in which they differ, for people. */
public final class RunTable {
  private static final int FACTS = 4; // before the settings
  private static final int STEPS = 1;
  private static final String GAP = "  ";

  private final List<List<String>> rows = new ArrayList<>();

  public RunTable(List<RunInfo> runs) {
    List<String> keys = RunInfo.differing(runs);
    List<String> head = new ArrayList<>(List.of("run", "steps", "loss", "verdict"));
    head.addAll(keys);
    rows.add(head);
    for (RunInfo run : runs) {
      List<String> row = new ArrayList<>();
      row.add(run.name());
      row.add(String.valueOf(run.steps()));
      row.add(
          run.loss().isPresent()
              ? String.format("%.4f%s", run.loss().getAsDouble(), run.validated() ? " val" : "")
              : "–");
      row.add(run.verdict().title);
      keys.forEach(k -> row.add(run.settings().getOrDefault(k, "–")));
      rows.add(row);
    }
  }

  /** All of it, however wide. */
  public String whole() {
    return text(IntStream.range(0, rows.get(0).size()).boxed().toList(), Integer.MAX_VALUE);
  }

  /**
   * As many columns as {@code width} takes: settings that do not fit beside those before them are
   * left out, then the steps; what is too long even so is cut.
   *
   * @param how to see what was left out
   */
  public String within(int width, String how) {
    List<Integer> shown = new ArrayList<>(IntStream.range(0, FACTS).boxed().toList());
    List<String> left = new ArrayList<>();
    for (int c = FACTS; c < rows.get(0).size(); c++) {
      shown.add(c);
      if (width(shown) > width) {
        left.add(rows.get(0).get(shown.remove(shown.size() - 1)));
      }
    }
    if (width(shown) > width) {
      left.add(0, rows.get(0).get(shown.remove(STEPS)));
    }
    boolean cut = width(shown) > width;
    String text = text(shown, width);
    if (left.isEmpty() && !cut) {
      return text;
    }
    String columns =
        left.isEmpty()
            ? "Lines are cut"
            : String.format(
                "%d %s left out", left.size(), left.size() == 1 ? "column is" : "columns are");
    return text + String.format("%s to fit %d characters; %s%n", columns, width, how);
  }

  private int width(List<Integer> columns) {
    return columns.stream().mapToInt(c -> width(c) + GAP.length()).sum() - GAP.length();
  }

  private int width(int column) {
    return rows.stream().mapToInt(r -> r.get(column).length()).max().orElse(0);
  }

  private String text(List<Integer> columns, int width) {
    StringBuilder text = new StringBuilder();
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int c : columns) {
        String cell = row.get(c);
        line.append(cell).append(" ".repeat(width(c) - cell.length())).append(GAP);
      }
      text.append(StepLine.cut(line.toString().stripTrailing(), width))
          .append(System.lineSeparator());
    }
    return text.toString();
  }
}

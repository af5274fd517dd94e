package org.loranative.track;

import java.time.Duration;
import java.util.List;

/**
 * How far a run is and what its newest step showed, in one line that is laid out for the width
 * there is: first the bar gives way, then the machine's readings, the gaps, the time left.
 *
 * @param unit what throughput counts
 * @param machine what the device says of itself, may be empty
 */
public record StepLine(
    int step,
    int total,
    double loss,
    double rate,
    double unitsPerSecond,
    String unit,
    String machine,
    Duration left) {
  /** Before there is a run. */
  static final StepLine NONE = start(0, 0);

  private static final int LEAST_BAR = 10;
  private static final int LONGEST_BAR = 40;

  /** Before the first step of a process. */
  static StepLine start(int done, int total) {
    return new StepLine(done, total, Double.NaN, 0, 0, "", "", Duration.ZERO);
  }

  /** All of it, without a bar. */
  String whole() {
    return joined("  ", List.of("step " + step + "/" + total, figures("  "), machine, time()));
  }

  /** As much as {@code width} columns take; never more. */
  String within(int width) {
    List<String> layouts =
        List.of(
            withBar(width, machine),
            withBar(width, ""),
            joined("  ", List.of(count(), figures("  "), time())),
            joined(" ", List.of(count(), figures(" "), time())),
            joined(" ", List.of(count(), figures(" "))));
    return layouts.stream()
        .filter(line -> !line.isEmpty() && line.length() <= width)
        .findFirst()
        .orElseGet(() -> cut(layouts.get(layouts.size() - 1), width));
  }

  /** Empty where there is no room for a bar. */
  private String withBar(int width, String readings) {
    String before = count() + " ";
    String after = "  " + joined("  ", List.of(figures("  "), time(), readings));
    int room = Math.min(LONGEST_BAR, width - before.length() - after.length());
    return room < LEAST_BAR ? "" : before + bar(step, total, room) + after;
  }

  /** A bar of {@code width} columns. */
  static String bar(int step, int total, int width) {
    int inside = width - 2;
    int full = total == 0 ? inside : (int) ((long) inside * step / total);
    String head = full < inside ? ">" : "";
    return "[" + "=".repeat(full) + head + " ".repeat(inside - full - head.length()) + "]";
  }

  public static String cut(String line, int width) {
    return line.length() <= width ? line : line.substring(0, Math.max(0, width));
  }

  /** Padded, so that the line stays in place while it counts. */
  private String count() {
    return String.format("%" + String.valueOf(total).length() + "d/%d", step, total);
  }

  /** Whole tokens, tenths of images. */
  private String figures(String gap) {
    if (unit.isEmpty()) {
      return "";
    }
    return String.format(
        "loss %.4f%slr %.2e%s%." + (unitsPerSecond < 100 ? 1 : 0) + "f %s/s",
        loss,
        gap,
        rate,
        gap,
        unitsPerSecond,
        unit);
  }

  private String time() {
    return unit.isEmpty() ? "" : clock(left) + " left";
  }

  /** Hours, minutes and seconds. */
  public static String clock(Duration d) {
    return String.format("%d:%02d:%02d", d.toHours(), d.toMinutesPart(), d.toSecondsPart());
  }

  private static String joined(String gap, List<String> parts) {
    StringBuilder line = new StringBuilder();
    for (String part : parts) {
      if (!part.isEmpty()) {
        line.append(line.isEmpty() ? "" : gap).append(part);
      }
    }
    return line.toString();
  }
}

package org.loranative.track;

import java.io.PrintStream;
import java.time.Duration;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * The terminal: log lines, and a progress bar below them where there is a terminal; otherwise plain
 * lines now and then.
 */
public final class Console {
  private static final long PLAIN_INTERVAL_MILLIS = 10_000;

  private final PrintStream out;
  private final boolean terminal;
  private ProgressBar bar;
  private long lastPlain;

  public Console(PrintStream out, boolean terminal) {
    this.out = out;
    this.terminal = terminal;
  }

  /** Prints a line, above the bar if there is one. */
  public synchronized void line(String text) {
    if (bar != null) {
      out.print("\r\u001b[2K" + text + System.lineSeparator());
      bar.refresh();
    } else {
      out.println(text);
    }
    out.flush();
  }

  /** Starts progress over {@code total} steps of which {@code done} are past. */
  public synchronized void startProgress(int done, int total) {
    lastPlain = 0;
    if (terminal) {
      bar =
          new ProgressBarBuilder()
              .setTaskName("train")
              .setInitialMax(total)
              .startsFrom(done, Duration.ZERO)
              .setStyle(ProgressBarStyle.ASCII)
              .setUpdateIntervalMillis(200)
              .showSpeed()
              .build();
    }
  }

  /**
   * A step's end.
   *
   * @param machine what the device says of itself, may be empty
   */
  public synchronized void progress(
      int step,
      int total,
      double loss,
      double rate,
      double unitsPerSecond,
      String unit,
      String machine,
      Duration left) {
    String now =
        String.format(
            "loss %.4f  lr %.2e  %s %s/s%s",
            loss, rate, rate(unitsPerSecond), unit, machine.isEmpty() ? "" : "  " + machine);
    if (bar != null) {
      bar.setExtraMessage(" " + now);
      bar.stepTo(step);
      return;
    }
    long millis = System.currentTimeMillis();
    if (step == 1 || step == total || millis - lastPlain >= PLAIN_INTERVAL_MILLIS) {
      lastPlain = millis;
      out.printf("step %d/%d  %s  ETA %s%n", step, total, now, clock(left));
      out.flush();
    }
  }

  /** Whole tokens, tenths of images. */
  private static String rate(double perSecond) {
    return perSecond < 100 ? String.format("%.1f", perSecond) : String.format("%.0f", perSecond);
  }

  private static String clock(Duration d) {
    return String.format("%d:%02d:%02d", d.toHours(), d.toMinutesPart(), d.toSecondsPart());
  }

  public synchronized void endProgress() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }
}

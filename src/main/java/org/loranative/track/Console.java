package org.loranative.track;

import java.io.PrintStream;
import java.time.Duration;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;

/**
 * The terminal: log lines, and a progress bar below them where there is a terminal; otherwise plain
 * lines now and then.
 */
public final class Console {
  private static final long PLAIN_INTERVAL_MILLIS = 10_000;
  private static final String YELLOW = "\u001b[33m";
  private static final String PLAIN = "\u001b[0m";

  private final PrintStream out;
  private final boolean terminal;
  private final boolean colours;
  private ProgressBar bar;
  private volatile StepLine newest = StepLine.NONE;
  private long lastPlain;

  /**
   * @param terminal whether people read it as it comes
   * @param colours whether it shows colours
   */
  public Console(PrintStream out, boolean terminal, boolean colours) {
    this.out = out;
    this.terminal = terminal;
    this.colours = colours;
  }

  /** Without colours. */
  public Console(PrintStream out, boolean terminal) {
    this(out, terminal, false);
  }

  /** Whether it shows colours. */
  public boolean hasColours() {
    return colours;
  }

  /** Prints a line that warns. */
  public void warning(String text) {
    line((colours ? YELLOW + "Warning:" + PLAIN : "Warning:") + " " + text);
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
    newest = StepLine.start(done, total);
    if (terminal) {
      bar =
          new ProgressBarBuilder()
              .setInitialMax(total)
              .startsFrom(done, Duration.ZERO)
              .setRenderer((state, width) -> newest.within(width))
              .setUpdateIntervalMillis(200)
              .build();
    }
  }

  /** A step's end. */
  public synchronized void progress(StepLine line) {
    newest = line;
    if (bar != null) {
      bar.stepTo(line.step());
      return;
    }
    long millis = System.currentTimeMillis();
    boolean edge = line.step() == 1 || line.step() == line.total();
    if (edge || millis - lastPlain >= PLAIN_INTERVAL_MILLIS) {
      lastPlain = millis;
      out.println(line.whole());
      out.flush();
    }
  }

  public synchronized void endProgress() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }
}

package org.loranative;

/** Whether the process has been asked to end its work. One for the process, as signals are. */
public final class Stopping {
  private static volatile boolean asked;

  private Stopping() {}

  /** Asks for it: whatever is long ends at the next place where nothing is lost. */
  public static void ask() {
    asked = true;
  }

  public static boolean isAsked() {
    return asked;
  }
}

package org.loranative;

/** Work was ended because Ctrl-C asked for it: nothing is wrong. */
public final class StoppedException extends RuntimeException {
  public StoppedException(String message) {
    super(message);
  }
}

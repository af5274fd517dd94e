package org.loranative.train;

import org.loranative.UserException;

/** A run does not fit into its memory, whatever is recomputed. */
public final class TooLargeException extends UserException {
  public TooLargeException(String message) {
    super(message);
  }
}

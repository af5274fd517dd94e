package org.loranative.train;

import org.loranative.UserException;

/** The loss or a gradient is no longer a number. */
public final class TrainingDivergedException extends UserException {
  public TrainingDivergedException(String message) {
    super(message);
  }
}

package org.loranative.train;

import org.loranative.UserException;

/** The loss or a gradient is no longer a number, or the loss climbs. */
public final class TrainingDivergedException extends UserException {
  private final int since;
  private final int at;

  /**
   * @param since the first step that is in doubt
   * @param at the step that showed it
   */
  public TrainingDivergedException(String message, int since, int at) {
    super(message);
    this.since = since;
    this.at = at;
  }

  int since() {
    return since;
  }

  public int at() {
    return at;
  }
}

package org.loranative.train.runs;

import org.loranative.UserException;

/** Early stop has no validation loss to go by. */
public final class NothingHeldOutException extends UserException {
  public NothingHeldOutException() {
    super(
        "early_stop goes by the validation loss, but nothing is held out: set validation_path or"
            + " validation_fraction (for images at least 1 / validation_fraction of them).");
  }
}

package org.loranative.model.diffusion;

import java.nio.file.Path;
import org.loranative.UserException;

/** Whether the parts of a base fit each other. */
public final class Fitting {
  private Fitting() {}

  /**
   * @param what of one part
   * @param other of another, which must be equal
   */
  public static void require(Path base, int actual, int expected, String what, String other) {
    if (actual != expected) {
      throw new UserException(
          String.format(
              "base_model %s has %d as %s, but %d as %s: parts of different models. Take the text"
                  + " encoders and the VAE that belong to it.",
              base, actual, what, expected, other));
    }
  }

  /** Refuses text encoders beside a folder that has its own. */
  public static void requireNoEncoders(BaseOptions options, DiffusersFolder folder) {
    if (!options.textEncoders().isEmpty()) {
      throw new UserException(
          "text_encoder_path is for checkpoints of one file; the folder "
              + folder.folder()
              + " has its text encoders in it. Remove it.");
    }
  }

  /** Refuses what has a meaning for other families' users. */
  public static void requireNoPrediction(BaseOptions options, String family) {
    if (options.prediction().isPresent()) {
      throw new UserException(
          "prediction_type has no meaning for "
              + family
              + ", which predicts the velocity of flow matching. Remove it.");
    }
  }
}

package org.loranative.train.runs;

import java.util.Optional;
import org.loranative.UserException;
import org.loranative.config.TrainConfig;
import org.loranative.train.TrainingDivergedException;

/** A loss that is not finite before the first update: no learning rate is to blame. */
final class FirstStepFault {
  private FirstStepFault() {}

  /**
   * @param tensor of the base that holds what is no number, if one does
   */
  static UserException of(
      TrainConfig config, Optional<String> tensor, TrainingDivergedException cause) {
    return new UserException(
        tensor
            .map(
                name ->
                    "base_model "
                        + config.baseModel()
                        + " holds NaN or infinite numbers (tensor "
                        + name
                        + "), so the loss is not a number before anything is learnt. Get the file"
                        + " again, or take another base.")
            .orElseGet(
                () ->
                    "The loss or its gradient is not a finite number at the first step, before"
                        + " anything was learnt, so no learning rate is to blame: try "
                        + (config.computeDtype().equals("f32")
                            ? "another base, or without the records of that step"
                            : "compute_dtype: f32, or without the records of that step")
                        + " (logs/train.log names them)."),
        cause);
  }
}

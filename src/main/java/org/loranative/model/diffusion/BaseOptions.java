package org.loranative.model.diffusion;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.loranative.diffusion.Prediction;

/**
 * What a user may say of a base beside its place.
 *
 * @param textEncoders files or folders of those that a checkpoint of one file does not hold
 * @param vae file or folder of one that stands in the place of the base's own
 */
public record BaseOptions(
    Optional<Path> tokenizer,
    Optional<Prediction> prediction,
    List<Path> textEncoders,
    Optional<Path> vae) {
  public BaseOptions {
    textEncoders = List.copyOf(textEncoders);
  }

  public static BaseOptions none() {
    return new BaseOptions(Optional.empty(), Optional.empty(), List.of(), Optional.empty());
  }

  public BaseOptions withTokenizer(Path folder) {
    return new BaseOptions(Optional.of(folder), prediction, textEncoders, vae);
  }

  public BaseOptions withPrediction(Optional<Prediction> other) {
    return new BaseOptions(tokenizer, other, textEncoders, vae);
  }
}

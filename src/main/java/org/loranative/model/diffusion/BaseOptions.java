package org.loranative.model.diffusion;

import java.nio.file.Path;
import java.util.Optional;
import org.loranative.diffusion.Prediction;

/** What a user may say of a base beside its place. */
public record BaseOptions(Optional<Path> tokenizer, Optional<Prediction> prediction) {
  public static BaseOptions none() {
    return new BaseOptions(Optional.empty(), Optional.empty());
  }
}

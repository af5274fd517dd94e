package org.loranative.model.diffusion.families.sd3;

import java.nio.file.Path;
import org.loranative.model.diffusion.t5.T5Config;
import org.loranative.model.diffusion.t5.T5Reader;

/** A T5 and the folder of its tokenizer. */
record T5Place(T5Config config, Path tokenizer) {
  /** Opens the tokenizer; the caller closes it. */
  T5Reader open() {
    return new T5Reader(tokenizer, config, Sd3Encoders.THIRD, Sd3Encoders.T5_TOKENS);
  }
}

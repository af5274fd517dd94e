package org.loranative.train.diffusion;

import java.nio.file.Path;
import org.loranative.data.sd.Buckets;
import org.loranative.data.sd.PreparedImage;

/**
 * An image of a run.
 *
 * @param weight of its loss
 * @param caption that it is trained with
 */
record TrainingImage(PreparedImage prepared, double weight, String caption) {
  TrainingImage(PreparedImage prepared, double weight) {
    this(prepared, weight, prepared.captioned().caption());
  }

  Path file() {
    return prepared.captioned().file();
  }

  /** What it is brought to. */
  Buckets.Size size() {
    return prepared.size();
  }

  /** The same image with another caption. */
  TrainingImage captioned(String caption) {
    return new TrainingImage(prepared, weight, caption);
  }
}

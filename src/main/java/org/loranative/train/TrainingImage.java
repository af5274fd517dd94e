package org.loranative.train;

import java.nio.file.Path;
import org.loranative.data.sd.Buckets;
import org.loranative.data.sd.PreparedImage;

/**
 * An image of a run.
 *
 * @param weight of its loss
 */
record TrainingImage(PreparedImage prepared, double weight) {
  Path file() {
    return prepared.captioned().file();
  }

  /** What it is brought to. */
  Buckets.Size size() {
    return prepared.size();
  }

  String caption() {
    return prepared.captioned().caption();
  }
}

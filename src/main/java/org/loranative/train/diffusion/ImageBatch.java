package org.loranative.train.diffusion;

import java.util.List;
import org.loranative.data.sd.Buckets;

/**
 * Images of one size, and which batch of which epoch they are: what names their noise.
 *
 * @param timesteps of the images, empty to draw them
 */
record ImageBatch(List<TrainingImage> images, int epoch, int index, List<Integer> timesteps) {
  /** The epoch of batches that are measured: always the same noise, no draw of captions. */
  static final int MEASURED = -1;

  ImageBatch(List<TrainingImage> images, int epoch, int index) {
    this(images, epoch, index, List.of());
  }

  boolean isMeasured() {
    return epoch == MEASURED;
  }

  Buckets.Size size() {
    return images.get(0).size();
  }
}

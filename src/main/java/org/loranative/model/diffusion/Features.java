package org.loranative.model.diffusion;

import org.loranative.graph.Value;

/** A batch of images on its way through a model: x [images·height·width, C]. */
record Features(Value x, long images, long height, long width) {
  Features with(Value y) {
    return new Features(y, images, height, width);
  }

  long pixels() {
    return height * width;
  }

  long channels() {
    return x.shape().last();
  }
}

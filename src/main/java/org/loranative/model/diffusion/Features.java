package org.loranative.model.diffusion;

import org.loranative.graph.Value;

/** A batch of images on its way through a model: x [images·height·width, C]. */
public record Features(Value x, long images, long height, long width) {
  public Features with(Value y) {
    return new Features(y, images, height, width);
  }

  public long pixels() {
    return height * width;
  }

  public long channels() {
    return x.shape().last();
  }
}

package org.loranative.lora;

import org.loranative.graph.Shape;

/** A ~ N(0, 1/rank²). */
record GaussianInit() implements FreshInit {
  @Override
  public String name() {
    return "gaussian";
  }

  @Override
  public Part.Start start(Shape a) {
    return new Part.Start.Normal(1.0 / a.dim(0));
  }
}

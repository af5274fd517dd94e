package org.loranative.lora;

import org.loranative.graph.Shape;

/** A ~ U(−1/√in, 1/√in): Kaiming-uniform, a = √5. */
record KaimingInit() implements FreshInit {
  @Override
  public String name() {
    return "default";
  }

  @Override
  public Part.Start start(Shape a) {
    return new Part.Start.Uniform(1 / Math.sqrt(a.last()));
  }
}

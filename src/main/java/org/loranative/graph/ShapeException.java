package org.loranative.graph;

/** Shapes that an op cannot join: a fault of the model code or of a weights file. */
public final class ShapeException extends IllegalArgumentException {
  public ShapeException(String message) {
    super(message);
  }
}

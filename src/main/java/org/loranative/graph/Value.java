package org.loranative.graph;

import org.loranative.io.DType;

/** The description of an array. It owns nothing; a plan gives it an address. */
public record Value(int id, Shape shape, DType dtype, Kind kind, String name) {
  public long bytes() {
    return dtype.bytes(shape.size());
  }

  @Override
  public String toString() {
    return name + shape + " " + dtype;
  }
}

package org.loranative.graph;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** Dimensions, row-major: the last is contiguous. */
public record Shape(List<Long> dims) {
  public Shape {
    dims = List.copyOf(dims);
  }

  public static Shape of(long... dims) {
    return new Shape(Arrays.stream(dims).boxed().toList());
  }

  public long dim(int i) {
    return dims.get(i);
  }

  public long last() {
    return dims.get(dims.size() - 1);
  }

  /** Number of elements. */
  public long size() {
    return dims.stream().reduce(1L, Math::multiplyExact);
  }

  /** Elements of all dimensions but the last. */
  public long rows() {
    return size() / last();
  }

  @Override
  public String toString() {
    return dims.stream().map(String::valueOf).collect(Collectors.joining(", ", "[", "]"));
  }
}

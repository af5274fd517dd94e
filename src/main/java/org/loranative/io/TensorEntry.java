package org.loranative.io;

import java.nio.file.Path;
import java.util.List;

/**
 * Where a tensor lies in a file.
 *
 * @param name the file's own name for it
 * @param type storage type as the file names it, e.g. {@code BF16} or {@code Q4_K}; {@link
 *     DType#named} tells whether we can read it
 * @param shape row-major: the last dimension is contiguous
 * @param file the file that holds the data
 * @param offset of the first byte in the file
 * @param bytes length of the data
 */
public record TensorEntry(
    String name, String type, List<Long> shape, Path file, long offset, long bytes) {
  public TensorEntry {
    shape = List.copyOf(shape);
  }

  /** Number of elements. */
  public long elements() {
    return shape.stream().reduce(1L, Math::multiplyExact);
  }

  /**
   * Of the first dimension; 1 for a vector. Matrices of experts, [E, out, in], have those of all.
   */
  public long rows() {
    return switch (shape.size()) {
      case 0, 1 -> 1;
      case 3 -> shape.get(0) * shape.get(1);
      default -> shape.get(0);
    };
  }

  /** Numbers of a row. */
  public long columns() {
    return elements() / Math.max(1, rows());
  }
}

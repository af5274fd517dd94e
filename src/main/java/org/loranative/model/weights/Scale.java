package org.loranative.model.weights;

import java.nio.FloatBuffer;
import org.loranative.graph.NotFinite;

/**
 * What a matrix's stored numbers are multiplied by: one number for each block of rows and columns.
 * The last blocks of a side may be cut off by the matrix's end.
 */
final class Scale {
  static final Scale NONE = new Scale(new float[] {1}, 1, 1, 1);

  private final float[] numbers;
  private final long columns;
  private final long blockRows;
  private final long blockColumns;

  /**
   * @param numbers of the blocks, row by row
   * @param columns of the matrix
   */
  Scale(float[] numbers, long columns, long blockRows, long blockColumns) {
    this.numbers = numbers;
    this.columns = columns;
    this.blockRows = blockRows;
    this.blockColumns = blockColumns;
  }

  /** The same for every number. */
  static Scale of(float number) {
    return new Scale(new float[] {number}, 1, Long.MAX_VALUE, 1);
  }

  boolean isFinite() {
    return NotFinite.areFinite(numbers);
  }

  boolean isNone() {
    return this == NONE;
  }

  /** Whether {@code count} neighbours of a row, the first at a multiple of that, share a number. */
  boolean isOneForEach(int count) {
    return isNone() || blockColumns % count == 0;
  }

  /** What a number of the matrix, by its place in all rows, is multiplied by. */
  float at(long number) {
    if (isNone()) {
      return 1;
    }
    long across = (columns + blockColumns - 1) / blockColumns;
    long block = number % columns / blockColumns;
    return numbers[Math.toIntExact(number / columns / blockRows * across + block)];
  }

  /**
   * Multiplies {@code count} of a matrix's numbers, row-major, in place.
   *
   * @param first which of its numbers stands at 0
   */
  void multiply(FloatBuffer x, long first, int count) {
    if (isNone()) {
      return;
    }
    for (int i = 0; i < count; ) {
      long column = (first + i) % columns;
      long blockEnd = Math.min(columns, (column / blockColumns + 1) * blockColumns);
      int end = (int) Math.min(count, i + blockEnd - column);
      float scale = at(first + i);
      for (; i < end; i++) {
        x.put(i, x.get(i) * scale);
      }
    }
  }
}

package org.loranative.graph.ops;

import org.loranative.graph.Value;

/**
 * The matrices in an optimizer's flat buffers that one launch steps over, for optimizers that need
 * to know rows from columns.
 *
 * @param table i32, {@link #NUMBERS} for each matrix: where it begins, in {@link #UNIT}s, rows,
 *     columns, where the means of its rows and those of its columns begin, axes (1 for a vector,
 *     which is one row)
 * @param first place in the table
 * @param rate of learning, relative to the step's
 */
public record MatrixRange(Value table, int first, int count, float rate) {
  /** Numbers that tell a matrix. */
  public static final int NUMBERS = 6;

  /** Numbers at multiples of which matrices begin. */
  public static final int UNIT = 16;
}

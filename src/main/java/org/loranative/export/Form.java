package org.loranative.export;

import org.loranative.model.weights.Reading;

/**
 * How the tensor to be written differs from the one that is read.
 *
 * @param headRows rows of a head whose rotary halves change between parted and interleaved, 0 for
 *     none
 * @param interleaves whether they are interleaved in what is written (else in what is read)
 * @param added to every number
 */
record Form(long headRows, boolean interleaves, float added) {
  static final Form SAME = new Form(0, false, 0);

  boolean keepsOrder() {
    return headRows == 0;
  }

  boolean isPlain() {
    return keepsOrder() && added == 0;
  }

  /** The row that is read for row {@code row} of what is written. */
  long fileRow(long row) {
    if (headRows == 0) {
      return row;
    }
    return interleaves ? Reading.parted(row, headRows) : Reading.interleaved(row, headRows);
  }

  void shift(float[] row) {
    if (added != 0) {
      for (int i = 0; i < row.length; i++) {
        row[i] += added;
      }
    }
  }
}

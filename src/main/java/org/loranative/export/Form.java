package org.loranative.export;

import org.loranative.model.weights.Formula;
import org.loranative.model.weights.Order;

/**
 * How the tensor to be written differs from the one that is read.
 *
 * @param rows where what is read has the rows of what is written
 * @param columns likewise
 * @param formula of each number written
 */
record Form(Order rows, Order columns, Formula formula) {
  static final Form SAME = new Form(Order.SAME, Order.SAME, Formula.PLAIN);

  boolean isPlain() {
    return rows.isSame() && columns.isSame() && formula.isPlain();
  }

  /** What is written of a row that was read. */
  float[] written(float[] row) {
    float[] numbers = columns.inOrder(row);
    if (!formula.isPlain()) {
      for (int i = 0; i < numbers.length; i++) {
        numbers[i] = formula.of(numbers[i]);
      }
    }
    return numbers;
  }
}

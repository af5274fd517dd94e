package org.loranative.graph.ops;

import java.util.List;
import org.loranative.graph.ShapeException;
import org.loranative.graph.Value;

/** What ops require of the values that they join. */
final class Values {
  private Values() {}

  /** Whether a product of {@code x} with the frozen {@code w} exists: one dtype, or w in blocks. */
  static boolean multiply(Value x, Value w) {
    return x.dtype() == w.dtype() || w.dtype().isBlocks();
  }

  static void require(boolean holds, String op, Object... values) {
    if (!holds) {
      throw new ShapeException(op + " cannot join " + List.of(values));
    }
  }
}

package org.loranative.graph.ops;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.loranative.graph.ShapeException;
import org.loranative.graph.Value;

/** Lists of values, some of them absent. */
final class Values {
  private Values() {}

  /** The values in order; each is a {@link Value} or an {@link Optional} of one. */
  static List<Value> list(Object... values) {
    List<Value> list = new ArrayList<>();
    for (Object v : values) {
      if (v instanceof Optional<?> o) {
        o.ifPresent(x -> list.add((Value) x));
      } else {
        list.add((Value) v);
      }
    }
    return List.copyOf(list);
  }

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

package org.loranative.text.jinja;

import java.util.Collection;
import java.util.Map;

/** The work a template may do: a template that asks for more does not end, or was made to harm. */
final class Budget {
  /** Steps, and chars and items written; a long conversation takes a hundredth of it. */
  private static final long LIMIT = 1 << 26;

  private long spent;

  /** A step that made {@code result}. */
  Object step(Object result) {
    spend(1 + size(result));
    return result;
  }

  void spend(long units) {
    spent += units;
    require(spent);
  }

  /** Refuses what would take more than a whole rendering may. */
  static void require(long units) {
    if (units > LIMIT) {
      throw new TemplateException("the template writes or computes without end");
    }
  }

  /** A number for each char or item. */
  static long size(Object v) {
    if (v instanceof CharSequence s) {
      return s.length();
    } else if (v instanceof Collection<?> c) {
      return c.size();
    }
    return v instanceof Map<?, ?> m ? m.size() : 0;
  }
}

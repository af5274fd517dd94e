package org.loranative.text.jinja;

import java.util.List;
import java.util.Map;

/** A function, macro or bound method. */
interface Callable {
  Object call(List<Object> positional, Map<String, Object> named);
}

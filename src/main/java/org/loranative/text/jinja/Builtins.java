package org.loranative.text.jinja;

import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Functions that a template finds without being given them. */
final class Builtins {
  private Builtins() {}

  /** What {@code namespace(…)} makes: the one value whose fields a template may set. */
  static final class Namespace extends LinkedHashMap<Object, Object> {}

  static Map<String, Object> functions(LocalDateTime now) {
    return Map.of(
        "range", (Callable) (a, named) -> range(a),
        "namespace",
            (Callable)
                (a, named) -> {
                  Namespace n = new Namespace();
                  n.putAll(named);
                  return n;
                },
        "dict", (Callable) (a, named) -> new LinkedHashMap<Object, Object>(named),
        "raise_exception",
            (Callable)
                (a, named) -> {
                  throw new TemplateException(JinjaValues.text(a.get(0)));
                },
        "strftime_now", (Callable) (a, named) -> strftime((String) a.get(0), now));
  }

  private static List<Object> range(List<Object> a) {
    long from = a.size() > 1 ? (Long) a.get(0) : 0;
    long to = (Long) a.get(a.size() > 1 ? 1 : 0);
    long step = a.size() > 2 ? (Long) a.get(2) : 1;
    if (step == 0 || (to - from) / step > 1 << 20) {
      throw new TemplateException("range() is too long");
    }
    List<Object> numbers = new ArrayList<>();
    for (long i = from; step > 0 ? i < to : i > to; i += step) {
      numbers.add(i);
    }
    return numbers;
  }

  private static String strftime(String format, LocalDateTime now) {
    Map<Character, String> patterns =
        Map.of(
            'd', "dd", 'm', "MM", 'Y', "yyyy", 'y', "yy", 'b', "MMM", 'B', "MMMM", 'H', "HH", 'M',
            "mm", 'S', "ss", 'A', "EEEE");
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c == '%' && i + 1 < format.length() && patterns.containsKey(format.charAt(i + 1))) {
        String pattern = patterns.get(format.charAt(++i));
        text.append(now.format(DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH)));
      } else {
        text.append(c);
      }
    }
    return text.toString();
  }
}

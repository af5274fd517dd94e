package org.loranative.text.jinja;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Python's semantics of truth, equality, order, arithmetic, indexing and text. */
final class Values {
  private Values() {}

  static boolean truth(Object v) {
    if (v instanceof Boolean b) {
      return b;
    } else if (v instanceof None) {
      return false;
    } else if (v instanceof Number n) {
      return n.doubleValue() != 0;
    } else if (v instanceof CharSequence s) {
      return s.length() > 0;
    } else if (v instanceof Collection<?> c) {
      return !c.isEmpty();
    }
    return !(v instanceof Map<?, ?> m) || !m.isEmpty();
  }

  static boolean equal(Object a, Object b) {
    if (a instanceof Number || a instanceof Boolean) {
      return (b instanceof Number || b instanceof Boolean) && number(a) == number(b);
    }
    return a.equals(b);
  }

  static int compare(Object a, Object b) {
    if (a instanceof String s && b instanceof String t) {
      return s.compareTo(t);
    }
    return Double.compare(number(a), number(b));
  }

  static double number(Object v) {
    if (v instanceof Boolean b) {
      return b ? 1 : 0;
    }
    if (v instanceof Number n) {
      return n.doubleValue();
    }
    throw new TemplateException("\"" + text(v) + "\" is not a number");
  }

  static boolean contains(Object container, Object item) {
    if (container instanceof String s) {
      return s.contains(text(item));
    }
    return container instanceof Map<?, ?> m
        ? m.containsKey(item)
        : iterate(container).stream().anyMatch(x -> equal(x, item));
  }

  static Object arithmetic(String operator, Object a, Object b) {
    if (operator.equals("+")) {
      if (a instanceof String s && b instanceof String t) {
        return s + t;
      }
      if (a instanceof List<?> s && b instanceof List<?> t) {
        List<Object> joined = new ArrayList<>(s);
        joined.addAll(t);
        return joined;
      }
    }
    if (operator.equals("*") && a instanceof String s && b instanceof Long n) {
      return s.repeat((int) Math.max(0, Math.min(n, 1 << 20)));
    }
    boolean whole = a instanceof Long && b instanceof Long;
    double x = number(a);
    double y = number(b);
    double result =
        switch (operator) {
          case "+" -> x + y;
          case "-" -> x - y;
          case "*" -> x * y;
          case "/" -> x / y;
          case "//" -> Math.floor(x / y);
          case "%" -> x - y * Math.floor(x / y);
          case "**" -> Math.pow(x, y);
          default -> throw new TemplateException("unknown operator " + operator);
        };
    return whole && !operator.equals("/") ? (Object) (long) result : (Object) result;
  }

  static List<Object> iterate(Object v) {
    if (v instanceof Map<?, ?> m) {
      return new ArrayList<>(m.keySet());
    } else if (v instanceof Collection<?> c) {
      return new ArrayList<>(c);
    } else if (v instanceof String s) {
      return new ArrayList<>(s.codePoints().mapToObj(Character::toString).toList());
    } else if (v == None.UNDEFINED) {
      return List.of();
    }
    throw new TemplateException("\"" + text(v) + "\" cannot be iterated");
  }

  static Object attribute(Object object, String name) {
    if (object instanceof Map<?, ?> map && !(object instanceof Builtins.Namespace)) {
      // Jinja asks for the attribute first, so a method wins over a key of the same name.
      Optional<Callable> method = Methods.of(object, name);
      if (method.isPresent()) {
        return method.get();
      }
      return present(map.get(name));
    }
    if (object instanceof Builtins.Namespace namespace) {
      return present(namespace.get(name));
    }
    if (object == None.UNDEFINED) {
      throw new TemplateException("a value is undefined and has no attribute \"" + name + "\"");
    }
    return Methods.of(object, name).map(Object.class::cast).orElse(None.UNDEFINED);
  }

  static Object item(Object object, Object key) {
    if (object instanceof Map<?, ?> map) {
      return present(map.get(key));
    }
    if (object instanceof List<?> list && key instanceof Long i) {
      long at = i < 0 ? i + list.size() : i;
      return at >= 0 && at < list.size() ? list.get((int) at) : None.UNDEFINED;
    }
    if (object instanceof String s && key instanceof Long i) {
      return item(iterate(s), i);
    }
    if (object == None.UNDEFINED) {
      throw new TemplateException("a value is undefined and has no item " + text(key));
    }
    return key instanceof String name ? attribute(object, name) : None.UNDEFINED;
  }

  private static Object present(Object value) {
    return value == null ? None.UNDEFINED : value;
  }

  static Object slice(Object object, Optional<Long> from, Optional<Long> to, Optional<Long> step) {
    List<Object> items = iterate(object);
    int n = items.size();
    long by = step.orElse(1L);
    if (by == 0) {
      throw new TemplateException("a slice has the step 0");
    }
    long start = from.map(f -> clamp(f, n, by)).orElse(by > 0 ? 0L : n - 1L);
    long end = to.map(t -> clamp(t, n, by)).orElse(by > 0 ? (long) n : -1L);
    List<Object> taken = new ArrayList<>();
    for (long i = start; by > 0 ? i < end : i > end; i += by) {
      taken.add(items.get((int) i));
    }
    if (object instanceof String) {
      StringBuilder text = new StringBuilder();
      taken.forEach(text::append);
      return text.toString();
    }
    return taken;
  }

  private static long clamp(long i, int n, long by) {
    long at = i < 0 ? i + n : i;
    return by > 0 ? Math.max(0, Math.min(at, n)) : Math.max(-1, Math.min(at, n - 1));
  }

  /** What {@code {{ v }}} writes: Python's str(). */
  static String text(Object v) {
    if (v instanceof Boolean b) {
      return b ? "True" : "False";
    }
    return v instanceof Map || v instanceof List ? repr(v) : v.toString();
  }

  /** Python's repr(), for containers that are printed whole. */
  private static String repr(Object v) {
    if (v instanceof String s) {
      String quote = s.contains("'") && !s.contains("\"") ? "\"" : "'";
      String escaped = s.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t");
      return quote + (quote.equals("'") ? escaped.replace("'", "\\'") : escaped) + quote;
    } else if (v instanceof List<?> list) {
      return "[" + String.join(", ", list.stream().map(Values::repr).toList()) + "]";
    } else if (v instanceof Map<?, ?> map) {
      return "{"
          + String.join(
              ", ",
              map.entrySet().stream()
                  .map(e -> repr(e.getKey()) + ": " + repr(e.getValue()))
                  .toList())
          + "}";
    }
    return text(v);
  }
}

package org.loranative.text.jinja;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Python's semantics of truth, equality, order, arithmetic, indexing and text. */
final class JinjaValues {
  private JinjaValues() {}

  /** A value of Java's or JSON's as templates know it, whole: numbers are Long or Double. */
  static Object of(Object v) {
    if (v == null) {
      return None.NONE;
    } else if (v instanceof Integer || v instanceof Short || v instanceof Byte) {
      return ((Number) v).longValue();
    } else if (v instanceof Number n && !(v instanceof Long)) {
      return n.doubleValue();
    } else if (v instanceof List<?> list) {
      List<Object> items = new ArrayList<>();
      list.forEach(x -> items.add(of(x)));
      return items;
    } else if (v instanceof Map<?, ?> map) {
      Map<Object, Object> copy = new LinkedHashMap<>();
      map.forEach((k, x) -> copy.put(k, of(x)));
      return copy;
    }
    return v;
  }

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
    return equal(a, b, new long[1]);
  }

  /** Containers item by item, which a value that holds itself or others many times makes long. */
  private static boolean equal(Object a, Object b, long[] steps) {
    Budget.require(++steps[0]);
    if (a == b) {
      return true;
    } else if (a instanceof List<?> s && b instanceof List<?> t) {
      boolean same = s.size() == t.size();
      for (int i = 0; same && i < s.size(); i++) {
        same = equal(s.get(i), t.get(i), steps);
      }
      return same;
    } else if (a instanceof Map<?, ?> s && b instanceof Map<?, ?> t) {
      boolean same = s.size() == t.size();
      for (Map.Entry<?, ?> e : s.entrySet()) {
        same = same && t.containsKey(e.getKey()) && equal(e.getValue(), t.get(e.getKey()), steps);
      }
      return same;
    }
    boolean containers = a instanceof List || a instanceof Map;
    return a instanceof Number || a instanceof Boolean ? equal(a, b) : !containers && a.equals(b);
  }

  /** A key of a dict or set. */
  static Object hashable(Object v) {
    if (v instanceof List || v instanceof Map) {
      throw new TemplateException("a list or dict cannot be a key");
    }
    return v;
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
        ? m.containsKey(hashable(item))
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
      return Methods.repeat(s, n);
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
      return present(map.get(hashable(key)));
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
    if (v instanceof Double d) {
      return decimal(d);
    }
    return v instanceof Map || v instanceof List ? repr(v) : v.toString();
  }

  /** A float as Python writes it: 1e-05 where Java says 1.0E-5. */
  private static String decimal(double d) {
    double size = Math.abs(d);
    if (Double.isInfinite(d) || Double.isNaN(d)) {
      return Double.isNaN(d) ? "nan" : d > 0 ? "inf" : "-inf";
    } else if (size == 0 || size >= 1e-4 && size < 1e16) {
      String plain = new BigDecimal(Double.toString(d)).toPlainString();
      return plain.contains(".") ? plain : plain + ".0";
    }
    String[] parts = Double.toString(d).split("E");
    String digits =
        parts[0].endsWith(".0") ? parts[0].substring(0, parts[0].length() - 2) : parts[0];
    int exponent = Integer.parseInt(parts[1]);
    return String.format("%se%s%02d", digits, exponent < 0 ? "-" : "+", Math.abs(exponent));
  }

  /** Python's repr(), for containers that are printed whole. */
  private static String repr(Object v) {
    StringBuilder out = new StringBuilder();
    repr(v, out);
    return out.toString();
  }

  private static void repr(Object v, StringBuilder out) {
    Budget.require(out.length());
    if (v instanceof String s) {
      String quote = s.contains("'") && !s.contains("\"") ? "\"" : "'";
      String escaped = s.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t");
      out.append(quote)
          .append(quote.equals("'") ? escaped.replace("'", "\\'") : escaped)
          .append(quote);
    } else if (v instanceof List<?> list) {
      String separator = "";
      out.append('[');
      for (Object item : list) {
        out.append(separator);
        repr(item, out);
        separator = ", ";
      }
      out.append(']');
    } else if (v instanceof Map<?, ?> map) {
      String separator = "";
      out.append('{');
      for (Map.Entry<?, ?> e : map.entrySet()) {
        out.append(separator);
        repr(e.getKey(), out);
        out.append(": ");
        repr(e.getValue(), out);
        separator = ", ";
      }
      out.append('}');
    } else {
      out.append(text(v));
    }
  }
}

package org.loranative.text.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/** Jinja's filters: {@code value | name(arguments)}. */
final class Filters {
  private final Budget budget;

  Filters(Budget budget) {
    this.budget = budget;
  }

  Object apply(String name, Object v, List<Object> a, Map<String, Object> named) {
    budget.spend(Budget.size(v));
    return budget.step(result(name, v, a, named));
  }

  private Object result(String name, Object v, List<Object> a, Map<String, Object> named) {
    return switch (name) {
      case "trim" ->
          Methods.strip(
              JinjaValues.text(v),
              a.isEmpty() ? Optional.empty() : Optional.of((String) a.get(0)),
              true,
              true);
      case "upper" -> JinjaValues.text(v).toUpperCase(Locale.ROOT);
      case "lower" -> JinjaValues.text(v).toLowerCase(Locale.ROOT);
      case "title" -> title(JinjaValues.text(v));
      case "capitalize" -> capitalize(JinjaValues.text(v));
      case "string" -> JinjaValues.text(v);
      case "safe", "e", "escape" -> v; // transformers renders without autoescape
      case "int" -> integer(v, a);
      case "float" -> Double.valueOf(JinjaValues.text(v));
      case "abs" ->
          v instanceof Long n ? (Object) Math.abs(n) : (Object) Math.abs(JinjaValues.number(v));
      case "round" -> (double) Math.round(JinjaValues.number(v));
      case "length", "count" -> (long) JinjaValues.iterate(v).size();
      case "list" -> JinjaValues.iterate(v);
      case "first" -> at(JinjaValues.iterate(v), 0);
      case "last" -> at(JinjaValues.iterate(v), JinjaValues.iterate(v).size() - 1);
      case "reverse" -> reverse(v);
      case "sort" -> sort(v, named);
      case "unique" -> unique(v);
      case "sum" ->
          JinjaValues.iterate(v).stream().reduce(0L, (x, y) -> JinjaValues.arithmetic("+", x, y));
      case "min" -> Collections.min(JinjaValues.iterate(v), JinjaValues::compare);
      case "max" -> Collections.max(JinjaValues.iterate(v), JinjaValues::compare);
      case "join" -> join(v, a, named);
      case "replace" ->
          ((Callable) JinjaValues.attribute(JinjaValues.text(v), "replace")).call(a, Map.of());
      case "default", "d" -> otherwise(v, a, named);
      case "items" -> ((Callable) JinjaValues.attribute(v, "items")).call(List.of(), Map.of());
      case "dictsort" -> dictsort(v);
      case "map" -> map(v, a, named);
      case "select" -> keep(v, test(a, 0));
      case "reject" -> keep(v, test(a, 0).negate());
      case "selectattr" -> keep(v, attributeTest(a));
      case "rejectattr" -> keep(v, attributeTest(a).negate());
      case "indent" -> indent(JinjaValues.text(v), a, named);
      case "tojson" -> Json.write(v, named.containsKey("indent") ? named.get("indent") : at(a, 0));
      default -> throw new TemplateException("the filter \"" + name + "\" is not supported");
    };
  }

  private static Object at(List<Object> list, int i) {
    return i >= 0 && i < list.size() ? list.get(i) : None.UNDEFINED;
  }

  static String title(String s) {
    StringBuilder text = new StringBuilder();
    boolean start = true;
    for (char c : s.toCharArray()) {
      text.append(start ? Character.toUpperCase(c) : Character.toLowerCase(c));
      start = !Character.isLetter(c);
    }
    return text.toString();
  }

  static String capitalize(String s) {
    return s.isEmpty()
        ? s
        : s.substring(0, 1).toUpperCase(Locale.ROOT) + s.substring(1).toLowerCase(Locale.ROOT);
  }

  private static long integer(Object v, List<Object> a) {
    try {
      return v instanceof String s ? Long.parseLong(s.strip()) : (long) JinjaValues.number(v);
    } catch (NumberFormatException e) {
      return a.isEmpty() ? 0 : (Long) a.get(0);
    }
  }

  private static Object reverse(Object v) {
    List<Object> items = JinjaValues.iterate(v);
    Collections.reverse(items);
    return v instanceof String
        ? String.join("", items.stream().map(JinjaValues::text).toList())
        : items;
  }

  private static Object unique(Object v) {
    LinkedHashSet<Object> items = new LinkedHashSet<>();
    JinjaValues.iterate(v).forEach(x -> items.add(JinjaValues.hashable(x)));
    return new ArrayList<>(items);
  }

  private static Object sort(Object v, Map<String, Object> named) {
    List<Object> items = JinjaValues.iterate(v);
    Comparator<Object> order = JinjaValues::compare;
    if (named.get("attribute") instanceof String name) {
      order = (x, y) -> JinjaValues.compare(JinjaValues.item(x, name), JinjaValues.item(y, name));
    }
    items.sort(Boolean.TRUE.equals(named.get("reverse")) ? order.reversed() : order);
    return items;
  }

  private static String join(Object v, List<Object> a, Map<String, Object> named) {
    List<Object> items = JinjaValues.iterate(v);
    if (named.get("attribute") instanceof String name) {
      items.replaceAll(x -> JinjaValues.item(x, name));
    }
    Object separator = named.getOrDefault("d", a.isEmpty() ? "" : a.get(0));
    return Methods.join(JinjaValues.text(separator), items);
  }

  private static Object otherwise(Object v, List<Object> a, Map<String, Object> named) {
    Object fallback = a.isEmpty() ? named.getOrDefault("default_value", "") : a.get(0);
    Object loose = a.size() > 1 ? a.get(1) : named.getOrDefault("boolean", false);
    boolean missing = v == None.UNDEFINED || (JinjaValues.truth(loose) && !JinjaValues.truth(v));
    return missing ? fallback : v;
  }

  private static Object dictsort(Object v) {
    List<Object> pairs = new ArrayList<>();
    ((Map<?, ?>) v)
        .entrySet().stream()
            .sorted((x, y) -> JinjaValues.compare(x.getKey(), y.getKey()))
            .forEach(e -> pairs.add(List.of(e.getKey(), e.getValue())));
    return pairs;
  }

  private Object map(Object v, List<Object> a, Map<String, Object> named) {
    List<Object> items = JinjaValues.iterate(v);
    if (named.get("attribute") instanceof String name) {
      items.replaceAll(x -> JinjaValues.item(x, name));
    } else {
      items.replaceAll(x -> apply((String) a.get(0), x, a.subList(1, a.size()), Map.of()));
    }
    return items;
  }

  private static List<Object> keep(Object v, Predicate<Object> test) {
    List<Object> items = JinjaValues.iterate(v);
    items.removeIf(test.negate());
    return items;
  }

  private static Predicate<Object> test(List<Object> a, int from) {
    if (a.size() <= from) {
      return JinjaValues::truth;
    }
    List<Object> rest = a.subList(from + 1, a.size());
    return x -> Tests.holds((String) a.get(from), x, rest);
  }

  private static Predicate<Object> attributeTest(List<Object> a) {
    Predicate<Object> test = test(a, 1);
    return x -> test.test(JinjaValues.item(x, a.get(0)));
  }

  private static String indent(String s, List<Object> a, Map<String, Object> named) {
    Object width = a.isEmpty() ? named.getOrDefault("width", 4L) : a.get(0);
    boolean first =
        JinjaValues.truth(named.getOrDefault("first", a.size() > 1 && JinjaValues.truth(a.get(1))));
    String pad = width instanceof Long n ? Methods.repeat(" ", n) : (String) width;
    Budget.require(s.length() + (long) pad.length() * s.chars().filter(c -> c == '\n').count());
    String indented = s.replaceAll("\n(?!\n|$)", "\n" + pad);
    return first ? pad + indented : indented;
  }
}

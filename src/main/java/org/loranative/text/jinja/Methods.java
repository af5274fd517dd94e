package org.loranative.text.jinja;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;

/** Python's methods of strings, dicts and lists, as far as templates call them. */
final class Methods {
  private Methods() {}

  static Optional<Callable> of(Object object, String name) {
    if (object instanceof String s) {
      return string(s, name);
    } else if (object instanceof Map<?, ?> m) {
      return dict(m, name);
    } else if (object instanceof List<?> list) {
      return list(list, name);
    }
    return Optional.empty();
  }

  private static Optional<Callable> method(Function<List<Object>, Object> body) {
    return Optional.of((positional, named) -> body.apply(positional));
  }

  private static Optional<Callable> string(String s, String name) {
    return switch (name) {
      case "strip" -> method(a -> strip(s, characters(a), true, true));
      case "lstrip" -> method(a -> strip(s, characters(a), true, false));
      case "rstrip" -> method(a -> strip(s, characters(a), false, true));
      case "upper" -> method(a -> s.toUpperCase(Locale.ROOT));
      case "lower" -> method(a -> s.toLowerCase(Locale.ROOT));
      case "title" -> method(a -> Filters.title(s));
      case "capitalize" -> method(a -> Filters.capitalize(s));
      case "startswith" -> method(a -> prefixes(a.get(0)).stream().anyMatch(s::startsWith));
      case "endswith" -> method(a -> prefixes(a.get(0)).stream().anyMatch(s::endsWith));
      case "replace" -> method(a -> replace(s, a));
      case "split" -> method(a -> split(s, a));
      case "rsplit" -> method(a -> rsplit(s, a));
      case "splitlines" -> method(a -> new ArrayList<Object>(s.lines().toList()));
      case "join" -> method(a -> join(s, JinjaValues.iterate(a.get(0))));
      case "find" -> method(a -> (long) s.indexOf((String) a.get(0)));
      case "count" -> method(a -> (long) s.split(Pattern.quote((String) a.get(0)), -1).length - 1);
      case "removeprefix" ->
          method(
              a -> s.startsWith((String) a.get(0)) ? s.substring(a.get(0).toString().length()) : s);
      case "removesuffix" ->
          method(
              a ->
                  s.endsWith((String) a.get(0))
                      ? s.substring(0, s.length() - a.get(0).toString().length())
                      : s);
      case "isdigit" -> method(a -> !s.isEmpty() && s.chars().allMatch(Character::isDigit));
      default -> Optional.empty();
    };
  }

  private static Optional<Callable> dict(Map<?, ?> map, String name) {
    return switch (name) {
      case "items" ->
          method(
              a -> {
                List<Object> pairs = new ArrayList<>();
                map.forEach((k, v) -> pairs.add(List.of(k, v)));
                return pairs;
              });
      case "keys" -> method(a -> new ArrayList<Object>(map.keySet()));
      case "values" -> method(a -> new ArrayList<Object>(map.values()));
      case "get" ->
          method(
              a ->
                  map.containsKey(JinjaValues.hashable(a.get(0)))
                      ? map.get(a.get(0))
                      : a.size() > 1 ? a.get(1) : None.NONE);
      default -> Optional.empty();
    };
  }

  @SuppressWarnings("unchecked")
  private static Optional<Callable> list(List<?> list, String name) {
    List<Object> items = (List<Object>) list;
    return switch (name) {
      case "append" ->
          method(
              a -> {
                items.add(a.get(0));
                return None.NONE;
              });
      case "pop" ->
          method(a -> items.remove(a.isEmpty() ? items.size() - 1 : ((Long) a.get(0)).intValue()));
      case "index" -> method(a -> index(items, a.get(0)));
      case "count" ->
          method(a -> items.stream().filter(x -> JinjaValues.equal(x, a.get(0))).count());
      default -> Optional.empty();
    };
  }

  private static long index(List<Object> items, Object wanted) {
    for (int i = 0; i < items.size(); i++) {
      if (JinjaValues.equal(items.get(i), wanted)) {
        return i;
      }
    }
    throw new TemplateException("a list lacks the item whose index is asked for");
  }

  private static Optional<String> characters(List<Object> a) {
    return a.isEmpty() || a.get(0) == None.NONE ? Optional.empty() : Optional.of((String) a.get(0));
  }

  static String strip(String s, Optional<String> characters, boolean left, boolean right) {
    int from = 0;
    int to = s.length();
    while (left && from < to && strips(s.charAt(from), characters)) {
      from++;
    }
    while (right && to > from && strips(s.charAt(to - 1), characters)) {
      to--;
    }
    return s.substring(from, to);
  }

  private static boolean strips(char c, Optional<String> characters) {
    return characters
        .map(set -> set.indexOf(c) >= 0)
        .orElse(Character.isWhitespace(c) || Character.isSpaceChar(c));
  }

  private static List<String> prefixes(Object v) {
    return v instanceof String s
        ? List.of(s)
        : JinjaValues.iterate(v).stream().map(JinjaValues::text).toList();
  }

  static String join(String separator, List<Object> items) {
    StringBuilder joined = new StringBuilder();
    for (int i = 0; i < items.size(); i++) {
      joined.append(i == 0 ? "" : separator).append(JinjaValues.text(items.get(i)));
      Budget.require(joined.length());
    }
    return joined.toString();
  }

  static String repeat(String s, long times) {
    Budget.require(Math.max(0, times));
    Budget.require(s.length() * Math.max(0, times));
    return s.repeat((int) Math.max(0, times));
  }

  private static String replace(String s, List<Object> a) {
    String from = (String) a.get(0);
    String to = (String) a.get(1);
    long places = from.isEmpty() ? s.length() + 1L : s.length() / from.length();
    Budget.require(places * to.length() + s.length());
    if (a.size() < 3) {
      return s.replace(from, to);
    }
    String result = s;
    int at = 0;
    for (long n = (Long) a.get(2); n > 0 && (at = result.indexOf(from, at)) >= 0; n--) {
      result = result.substring(0, at) + to + result.substring(at + from.length());
      at += to.length();
    }
    return result;
  }

  private static List<Object> split(String s, List<Object> a) {
    if (a.isEmpty() || a.get(0) == None.NONE) {
      String stripped = s.strip();
      return new ArrayList<>(
          stripped.isEmpty() ? List.of() : Arrays.asList(stripped.split("\\s+")));
    }
    int limit = a.size() > 1 ? (int) Math.min((Long) a.get(1), Integer.MAX_VALUE - 1) + 1 : -1;
    return new ArrayList<>(
        Arrays.asList(s.split(Pattern.quote((String) a.get(0)), limit == 0 ? -1 : limit)));
  }

  private static List<Object> rsplit(String s, List<Object> a) {
    if (a.size() < 2) {
      return split(s, a);
    }
    String separator = (String) a.get(0);
    List<Object> parts = new ArrayList<>();
    String rest = s;
    for (long n = (Long) a.get(1); n > 0 && rest.contains(separator); n--) {
      int at = rest.lastIndexOf(separator);
      parts.add(0, rest.substring(at + separator.length()));
      rest = rest.substring(0, at);
    }
    parts.add(0, rest);
    return parts;
  }
}

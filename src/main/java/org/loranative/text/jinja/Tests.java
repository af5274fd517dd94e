package org.loranative.text.jinja;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Jinja's tests: {@code value is name}. */
final class Tests {
  private Tests() {}

  static boolean holds(String name, Object v, List<Object> a) {
    return switch (name) {
      case "defined" -> v != None.UNDEFINED;
      case "undefined" -> v == None.UNDEFINED;
      case "none" -> v == None.NONE;
      case "string" -> v instanceof String;
      case "mapping" -> v instanceof Map;
      case "sequence" -> v instanceof List || v instanceof String || v instanceof Map;
      case "iterable" -> v instanceof List || v instanceof String || v instanceof Map;
      case "number" -> v instanceof Number;
      case "integer" -> v instanceof Long;
      case "float" -> v instanceof Double;
      case "boolean" -> v instanceof Boolean;
      case "callable" -> v instanceof Callable;
      case "true" -> v.equals(true);
      case "false" -> v.equals(false);
      case "even" -> (Long) v % 2 == 0;
      case "odd" -> (Long) v % 2 != 0;
      case "divisibleby" -> (Long) v % (Long) a.get(0) == 0;
      case "lower" -> v instanceof String s && s.equals(s.toLowerCase(Locale.ROOT));
      case "upper" -> v instanceof String s && s.equals(s.toUpperCase(Locale.ROOT));
      case "in" -> JinjaValues.contains(a.get(0), v);
      case "equalto", "eq", "==", "sameas" -> JinjaValues.equal(v, a.get(0));
      case "ne", "!=" -> !JinjaValues.equal(v, a.get(0));
      case "lt", "lessthan", "<" -> JinjaValues.compare(v, a.get(0)) < 0;
      case "le", "<=" -> JinjaValues.compare(v, a.get(0)) <= 0;
      case "gt", "greaterthan", ">" -> JinjaValues.compare(v, a.get(0)) > 0;
      case "ge", ">=" -> JinjaValues.compare(v, a.get(0)) >= 0;
      default -> throw new TemplateException("the test \"" + name + "\" is not supported");
    };
  }
}

package org.loranative.text;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Variables of a chat template, written before it as values that hold where nobody sets others:
 * programs that know the template alone then render as its run did.
 */
final class TemplateDefaults {
  private TemplateDefaults() {}

  /** The template with those of the variables that it reads. */
  static String before(String jinja, Map<String, Object> variables, Set<String> reads) {
    StringBuilder all = new StringBuilder();
    new TreeMap<>(variables)
        .forEach(
            (name, value) -> {
              if (reads.contains(name)) {
                // A line break behind a tag is not written.
                all.append(
                    String.format(
                        "{%%- if %s is not defined %%}{%%- set %s = %s %%}{%%- endif %%}\n",
                        name, name, literal(value)));
              }
            });
    return jinja.startsWith(all.toString()) ? jinja : all + jinja;
  }

  private static String literal(Object value) {
    if (value == null) {
      return "none";
    } else if (value instanceof Map<?, ?> map) {
      return map.entrySet().stream()
          .map(e -> text(e.getKey().toString()) + ": " + literal(e.getValue()))
          .collect(Collectors.joining(", ", "{", "}"));
    } else if (value instanceof List<?> list) {
      return list.stream()
          .map(TemplateDefaults::literal)
          .collect(Collectors.joining(", ", "[", "]"));
    } else if (value instanceof Number n) {
      return new BigDecimal(n.toString()).toPlainString();
    }
    return value instanceof Boolean ? value.toString() : text(value.toString());
  }

  private static String text(String s) {
    StringBuilder out = new StringBuilder("\"");
    for (char c : s.toCharArray()) {
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else {
        out.append(c < ' ' ? String.format("\\u%04x", (int) c) : String.valueOf(c));
      }
    }
    return out.append('"').toString();
  }
}

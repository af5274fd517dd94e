package org.loranative.text.jinja;

import java.util.List;
import java.util.Map;

/** What transformers' {@code tojson} writes: Python's json.dumps, ensure_ascii off. */
final class Json {
  private final StringBuilder out = new StringBuilder();
  private final int indent;

  private Json(int indent) {
    this.indent = indent;
  }

  /**
   * @param indent a Long, or None for one line
   */
  static String write(Object v, Object indent) {
    Json json = new Json(indent instanceof Long n ? n.intValue() : -1);
    json.value(v, 1);
    return json.out.toString();
  }

  private void value(Object v, int depth) {
    Budget.require(out.length());
    if (v instanceof Map<?, ?> map) {
      String[] separator = {""};
      out.append('{');
      map.forEach(
          (k, x) -> {
            item(separator, depth);
            string(JinjaValues.text(k));
            out.append(": ");
            value(x, depth + 1);
          });
      close('}', !map.isEmpty(), depth);
    } else if (v instanceof List<?> list) {
      String[] separator = {""};
      out.append('[');
      for (Object x : list) {
        item(separator, depth);
        value(x, depth + 1);
      }
      close(']', !list.isEmpty(), depth);
    } else if (v instanceof String s) {
      string(s);
    } else if (v instanceof Boolean) {
      out.append(v);
    } else if (v instanceof None) {
      out.append("null");
    } else {
      out.append(JinjaValues.text(v));
    }
  }

  private void item(String[] separator, int depth) {
    out.append(separator[0]);
    separator[0] = indent >= 0 ? "," : ", ";
    newline(depth);
  }

  private void close(char bracket, boolean filled, int depth) {
    if (filled) {
      newline(depth - 1);
    }
    out.append(bracket);
  }

  private void newline(int depth) {
    if (indent >= 0) {
      out.append('\n').append(Methods.repeat(" ", (long) indent * depth));
    }
  }

  private void string(String s) {
    out.append('"');
    for (char c : s.toCharArray()) {
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\b' -> out.append("\\b");
        case '\f' -> out.append("\\f");
        default -> out.append(c < 32 ? String.format("\\u%04x", (int) c) : String.valueOf(c));
      }
    }
    out.append('"');
  }
}

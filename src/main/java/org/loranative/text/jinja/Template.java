package org.loranative.text.jinja;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A parsed template. Values are String, Long, Double, Boolean, List, Map and null. */
public final class Template {
  private final List<Node.Statement> body;

  /**
   * @throws TemplateException if it cannot be parsed
   */
  public Template(String source) {
    body = Parser.parse(source.replace("\r\n", "\n"));
  }

  /**
   * @throws TemplateException if an expression fails, or by the template's own {@code
   *     raise_exception}
   */
  public String render(Map<String, Object> variables) {
    Map<String, Object> globals = new HashMap<>(Builtins.functions());
    variables.forEach((k, v) -> globals.put(k, v == null ? None.NONE : v));
    StringBuilder out = new StringBuilder();
    try {
      new Interpreter(out).run(body, new Scope(globals));
    } catch (ClassCastException | IndexOutOfBoundsException | NumberFormatException e) {
      throw new TemplateException(
          "an expression has operands of the wrong type: " + e.getMessage());
    }
    return out.toString();
  }
}

package org.loranative.text.jinja;

import java.time.LocalDateTime;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A parsed template. Templates come with models, so none is trusted: depth, work and output are
 * bounded, and whatever goes wrong is a {@link TemplateException}.
 */
public final class Template {
  private final Parser.Parsed parsed;

  /**
   * @throws TemplateException if it cannot be parsed
   */
  public Template(String source) {
    try {
      parsed = Parser.parse(source.replace("\r\n", "\n"));
    } catch (IndexOutOfBoundsException | NumberFormatException e) {
      throw new TemplateException("a tag ends early or holds a number out of range");
    } catch (StackOverflowError e) {
      throw new TemplateException("it is nested too deeply");
    }
  }

  /**
   * Renders with values of String, numbers, Boolean, List, Map and null.
   *
   * @param watched the variable whose items the rendering keeps apart
   * @param now what {@code strftime_now} tells
   * @throws TemplateException if an expression fails, or by the template's own {@code
   *     raise_exception}
   */
  public Rendering render(Map<String, Object> variables, String watched, LocalDateTime now) {
    Map<String, Object> globals = new HashMap<>(Builtins.functions(now));
    variables.forEach((k, v) -> globals.put(k, JinjaValues.of(v)));
    Object items = globals.getOrDefault(watched, List.of());
    Interpreter interpreter = new Interpreter(items instanceof List<?> list ? list : List.of());
    try {
      return interpreter.run(parsed.body(), new Scope(globals));
    } catch (ClassCastException | IndexOutOfBoundsException | ArithmeticException e) {
      throw new TemplateException("an expression has operands of the wrong type or number");
    } catch (IllegalArgumentException | UnsupportedOperationException e) {
      throw new TemplateException("an expression cannot be computed: " + e.getMessage());
    } catch (StackOverflowError e) {
      throw new TemplateException("it is nested too deeply, or holds a value that contains itself");
    }
  }

  /** Names whose values it may ask for, but for its own and for functions that are built in. */
  public Set<String> reads() {
    Set<String> free = new HashSet<>(parsed.reads());
    free.removeAll(Builtins.functions(LocalDateTime.now()).keySet());
    return free;
  }

  /** Renders at the present time, watching nothing. */
  public String render(Map<String, Object> variables) {
    return render(variables, "", LocalDateTime.now()).text();
  }
}

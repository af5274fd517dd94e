package org.loranative.text.jinja;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.text.jinja.Node.Expression;
import org.loranative.text.jinja.Node.Statement;
import org.loranative.text.jinja.Rendering.Span;

/** Walks the tree and writes the text. */
final class Interpreter {
  /** Deeper than any template for people nests calls and expressions. */
  private static final int MAX_DEPTH = 500;

  /** What an iteration takes, as steps. */
  private static final int ITERATION = 16;

  private final StringBuilder text = new StringBuilder();
  private final Budget budget = new Budget();
  private final Filters filters = new Filters(budget);
  private final Map<Object, List<Span>> watched = new IdentityHashMap<>();
  private final List<List<Span>> items = new ArrayList<>();
  private final List<Span> generated = new ArrayList<>();
  private StringBuilder out = text;
  private int depth;

  /**
   * @param watch items whose parts of the text are told
   */
  Interpreter(List<?> watch) {
    for (Object item : watch) {
      items.add(watched.computeIfAbsent(item, i -> new ArrayList<>()));
    }
  }

  private enum Result {
    NORMAL,
    BREAK,
    CONTINUE
  }

  Rendering run(List<Statement> body, Scope scope) {
    execute(body, scope);
    return new Rendering(text.toString(), generated, items);
  }

  private Result execute(List<Statement> body, Scope scope) {
    for (Statement statement : body) {
      budget.spend(1);
      Result result = execute(statement, scope);
      if (result != Result.NORMAL) {
        return result;
      }
    }
    return Result.NORMAL;
  }

  private Result execute(Statement statement, Scope scope) {
    if (statement instanceof Node.Text literal) {
      write(literal.text());
    } else if (statement instanceof Node.Print print) {
      write(JinjaValues.text(evaluate(print.value(), scope)));
    } else if (statement instanceof Node.If branches) {
      for (Node.Branch branch : branches.branches()) {
        if (JinjaValues.truth(evaluate(branch.condition(), scope))) {
          return execute(branch.body(), scope);
        }
      }
      return execute(branches.otherwise(), scope);
    } else if (statement instanceof Node.For loop) {
      loop(loop, scope);
    } else if (statement instanceof Node.Set set) {
      set(set, scope);
    } else if (statement instanceof Node.SetBlock set) {
      scope.set(set.target(), captured(set.body(), scope));
    } else if (statement instanceof Node.Macro macro) {
      scope.set(macro.name(), macro(macro, scope));
    } else if (statement instanceof Node.Generation generation) {
      int from = out.length();
      Result result = execute(generation.body(), scope);
      note(generated, from);
      return result;
    } else {
      return statement == Node.Flow.BREAK ? Result.BREAK : Result.CONTINUE;
    }
    return Result.NORMAL;
  }

  private void write(String s) {
    budget.spend(s.length());
    out.append(s);
  }

  /** Notes what was written since; kept text gets a place only when it is printed. */
  private void note(List<Span> spans, int from) {
    if (out == text && out.length() > from) {
      spans.add(new Span(from, out.length()));
    }
  }

  private String captured(List<Statement> body, Scope scope) {
    StringBuilder outer = out;
    out = new StringBuilder();
    try {
      execute(body, new Scope(scope));
      return out.toString();
    } finally {
      out = outer;
    }
  }

  private void loop(Node.For loop, Scope scope) {
    List<Object> items = new ArrayList<>();
    for (Object item : JinjaValues.iterate(evaluate(loop.items(), scope))) {
      budget.spend(ITERATION);
      Scope inner = new Scope(scope);
      bind(loop.targets(), item, inner);
      if (loop.filter().isEmpty() || JinjaValues.truth(evaluate(loop.filter().get(), inner))) {
        items.add(item);
      }
    }
    if (items.isEmpty()) {
      execute(loop.otherwise(), scope);
    }
    int n = items.size();
    for (int i = 0; i < n; i++) {
      Scope inner = new Scope(scope);
      bind(loop.targets(), items.get(i), inner);
      Map<String, Object> state = new HashMap<>();
      state.put("index", i + 1L);
      state.put("index0", (long) i);
      state.put("revindex", (long) (n - i));
      state.put("revindex0", n - i - 1L);
      state.put("first", i == 0);
      state.put("last", i == n - 1);
      state.put("length", (long) n);
      state.put("previtem", i > 0 ? items.get(i - 1) : None.UNDEFINED);
      state.put("nextitem", i < n - 1 ? items.get(i + 1) : None.UNDEFINED);
      inner.set("loop", state);
      int from = out.length();
      Result result = execute(loop.body(), inner);
      List<Span> spans = watched.get(items.get(i));
      if (spans != null && !out.substring(from).isBlank()) {
        note(spans, from);
      }
      if (result == Result.BREAK) {
        break;
      }
    }
  }

  private static void bind(List<String> targets, Object value, Scope scope) {
    if (targets.size() == 1) {
      scope.set(targets.get(0), value);
      return;
    }
    List<Object> parts = JinjaValues.iterate(value);
    if (parts.size() != targets.size()) {
      throw new TemplateException(
          parts.size() + " values cannot be bound to " + String.join(", ", targets));
    }
    for (int i = 0; i < parts.size(); i++) {
      scope.set(targets.get(i), parts.get(i));
    }
  }

  private void set(Node.Set set, Scope scope) {
    Object value = evaluate(set.value(), scope);
    if (set.field().isEmpty()) {
      bind(set.targets(), value, scope);
    } else if (scope.get(set.targets().get(0)) instanceof Builtins.Namespace namespace) {
      namespace.put(set.field().get(), value);
    } else {
      throw new TemplateException(set.targets().get(0) + " is not a namespace");
    }
  }

  private Callable macro(Node.Macro macro, Scope scope) {
    return (positional, named) -> {
      Scope inner = new Scope(scope);
      List<Node.Parameter> parameters = macro.parameters();
      for (int i = 0; i < parameters.size(); i++) {
        Node.Parameter p = parameters.get(i);
        Object value =
            i < positional.size()
                ? positional.get(i)
                : named.containsKey(p.name())
                    ? named.get(p.name())
                    : p.otherwise().map(e -> evaluate(e, inner)).orElse(None.UNDEFINED);
        inner.set(p.name(), value);
      }
      return captured(macro.body(), inner);
    };
  }

  private Object evaluate(Expression expression, Scope scope) {
    if (++depth > MAX_DEPTH) {
      throw new TemplateException("calls and expressions are nested too deeply");
    }
    Object value = budget.step(value(expression, scope));
    depth--;
    return value;
  }

  private Object value(Expression expression, Scope scope) {
    if (expression instanceof Node.Literal literal) {
      return literal.value();
    } else if (expression instanceof Node.Name name) {
      return scope.get(name.name());
    } else if (expression instanceof Node.ListOf list) {
      List<Object> items = new ArrayList<>();
      list.items().forEach(e -> items.add(evaluate(e, scope)));
      return items;
    } else if (expression instanceof Node.DictOf dict) {
      Map<Object, Object> map = new LinkedHashMap<>();
      dict.entries()
          .forEach(
              e ->
                  map.put(
                      JinjaValues.hashable(evaluate(e.getKey(), scope)),
                      evaluate(e.getValue(), scope)));
      return map;
    } else if (expression instanceof Node.Unary unary) {
      Object operand = evaluate(unary.operand(), scope);
      return unary.operator().equals("not")
          ? (Object) !JinjaValues.truth(operand)
          : JinjaValues.arithmetic("-", 0L, operand);
    } else if (expression instanceof Node.Binary binary) {
      return binary(binary, scope);
    } else if (expression instanceof Node.Conditional c) {
      return JinjaValues.truth(evaluate(c.condition(), scope))
          ? evaluate(c.yes(), scope)
          : c.no().map(no -> evaluate(no, scope)).orElse(None.UNDEFINED);
    } else if (expression instanceof Node.Attribute attribute) {
      return JinjaValues.attribute(evaluate(attribute.object(), scope), attribute.name());
    } else if (expression instanceof Node.Index index) {
      return JinjaValues.item(evaluate(index.object(), scope), evaluate(index.key(), scope));
    } else if (expression instanceof Node.Slice slice) {
      return JinjaValues.slice(
          evaluate(slice.object(), scope),
          bound(slice.from(), scope),
          bound(slice.to(), scope),
          bound(slice.step(), scope));
    } else if (expression instanceof Node.Call call) {
      Object callee = evaluate(call.callee(), scope);
      if (!(callee instanceof Callable function)) {
        throw new TemplateException(describe(call.callee()) + " is not a function");
      }
      return function.call(positional(call.arguments(), scope), named(call.arguments(), scope));
    } else if (expression instanceof Node.Filter filter) {
      return filters.apply(
          filter.name(),
          evaluate(filter.value(), scope),
          positional(filter.arguments(), scope),
          named(filter.arguments(), scope));
    } else if (expression instanceof Node.Test test) {
      List<Object> arguments = test.arguments().stream().map(a -> evaluate(a, scope)).toList();
      return test.negated() ^ Tests.holds(test.name(), evaluate(test.value(), scope), arguments);
    }
    throw new AssertionError(expression);
  }

  private Object binary(Node.Binary b, Scope scope) {
    Object left = evaluate(b.left(), scope);
    switch (b.operator()) {
      case "and":
        return JinjaValues.truth(left) ? evaluate(b.right(), scope) : left;
      case "or":
        return JinjaValues.truth(left) ? left : evaluate(b.right(), scope);
      default:
        Object right = evaluate(b.right(), scope);
        return switch (b.operator()) {
          case "==" -> JinjaValues.equal(left, right);
          case "!=" -> !JinjaValues.equal(left, right);
          case "<" -> JinjaValues.compare(left, right) < 0;
          case ">" -> JinjaValues.compare(left, right) > 0;
          case "<=" -> JinjaValues.compare(left, right) <= 0;
          case ">=" -> JinjaValues.compare(left, right) >= 0;
          case "in" -> JinjaValues.contains(right, left);
          case "~" -> JinjaValues.text(left) + JinjaValues.text(right);
          default -> JinjaValues.arithmetic(b.operator(), left, right);
        };
    }
  }

  private Optional<Long> bound(Optional<Expression> e, Scope scope) {
    return e.map(x -> evaluate(x, scope)).filter(v -> !(v instanceof None)).map(Long.class::cast);
  }

  private List<Object> positional(Node.Arguments a, Scope scope) {
    List<Object> values = new ArrayList<>();
    a.positional().forEach(e -> values.add(evaluate(e, scope)));
    return values;
  }

  private Map<String, Object> named(Node.Arguments a, Scope scope) {
    Map<String, Object> values = new LinkedHashMap<>();
    a.named().forEach((k, e) -> values.put(k, evaluate(e, scope)));
    return values;
  }

  private static String describe(Expression e) {
    if (e instanceof Node.Name n) {
      return n.name();
    }
    return e instanceof Node.Attribute a ? describe(a.object()) + "." + a.name() : "a value";
  }
}

package org.loranative.text.jinja;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.loranative.text.jinja.Lexer.Token;
import org.loranative.text.jinja.Lexer.Type;
import org.loranative.text.jinja.Node.Expression;

/** Expressions by Jinja's grammar and precedence, loosest first; and the cursor over the tokens. */
class ExpressionParser {
  static final int MAX_DEPTH = 200;

  final List<Token> tokens;
  int at;
  int depth;

  /** Every name whose value is asked for where the template has given it none. */
  final Set<String> names = new HashSet<>();

  /** Names that the template gives values where the cursor stands, the innermost first. */
  private final Deque<Set<String>> given = new ArrayDeque<>(List.of(new HashSet<>()));

  ExpressionParser(List<Token> tokens) {
    this.tokens = tokens;
  }

  /** From here on, to the end of the innermost scope, these names have values. */
  final void give(Collection<String> names) {
    given.peek().addAll(names);
  }

  final void enterScope() {
    given.push(new HashSet<>());
  }

  /** Returns the names that had values in it alone. */
  final Set<String> leaveScope() {
    return given.pop();
  }

  /** An expression, or several with commas between, which make a list. */
  final Expression tuple() {
    return commas(expression());
  }

  final Expression tupleNoCondition() {
    return commas(or());
  }

  private Expression commas(Expression first) {
    if (!peek().is(Type.OPERATOR, ",")) {
      return first;
    }
    List<Expression> items = new ArrayList<>(List.of(first));
    while (tryOperator(",")) {
      if (peek().type() == Type.TAG_END || peek().type() == Type.PRINT_END) {
        break;
      }
      items.add(expression());
    }
    return new Node.ListOf(items);
  }

  final Expression expression() {
    return deeper(this::conditional);
  }

  private Expression conditional() {
    Expression value = or();
    while (tryName("if")) {
      Expression condition = or();
      Optional<Expression> no = tryName("else") ? Optional.of(expression()) : Optional.empty();
      value = new Node.Conditional(condition, value, no);
    }
    return value;
  }

  private Expression or() {
    Expression left = and();
    while (tryName("or")) {
      left = new Node.Binary("or", left, and());
    }
    return left;
  }

  private Expression and() {
    Expression left = not();
    while (tryName("and")) {
      left = new Node.Binary("and", left, not());
    }
    return left;
  }

  private Expression not() {
    return tryName("not") ? new Node.Unary("not", deeper(this::not)) : comparison();
  }

  /** What a prefix stands before. */
  private Expression deeper(Supplier<Expression> operand) {
    if (++depth > MAX_DEPTH) {
      throw error("expressions are nested too deeply");
    }
    Expression value = operand.get();
    depth--;
    return value;
  }

  private Expression comparison() {
    Expression left = sum();
    while (true) {
      String operator = "";
      for (String o : List.of("==", "!=", "<=", ">=", "<", ">")) {
        if (tryOperator(o)) {
          operator = o;
          break;
        }
      }
      if (operator.isEmpty() && tryName("in")) {
        operator = "in";
      }
      if (operator.isEmpty()
          && peek().is(Type.NAME, "not")
          && tokens.get(at + 1).is(Type.NAME, "in")) {
        at += 2;
        left = new Node.Unary("not", new Node.Binary("in", left, sum()));
        continue;
      }
      if (operator.isEmpty()) {
        return left;
      }
      left = new Node.Binary(operator, left, sum());
    }
  }

  private Expression sum() {
    Expression left = concat();
    while (true) {
      if (tryOperator("+")) {
        left = new Node.Binary("+", left, concat());
      } else if (tryOperator("-")) {
        left = new Node.Binary("-", left, concat());
      } else {
        return left;
      }
    }
  }

  private Expression concat() {
    Expression left = product();
    while (tryOperator("~")) {
      left = new Node.Binary("~", left, product());
    }
    return left;
  }

  private Expression product() {
    Expression left = unary();
    while (true) {
      String operator = "";
      for (String o : List.of("*", "//", "/", "%")) {
        if (tryOperator(o)) {
          operator = o;
          break;
        }
      }
      if (operator.isEmpty()) {
        return left;
      }
      left = new Node.Binary(operator, left, unary());
    }
  }

  private Expression unary() {
    if (tryOperator("-")) {
      return new Node.Unary("-", deeper(this::unary));
    }
    if (tryOperator("+")) {
      return deeper(this::unary);
    }
    return filters(power());
  }

  private Expression power() {
    Expression left = postfix(primary());
    return tryOperator("**") ? new Node.Binary("**", left, deeper(this::unary)) : left;
  }

  private Expression filters(Expression value) {
    while (true) {
      if (tryOperator("|")) {
        String name = name();
        Node.Arguments arguments =
            tryOperator("(") ? arguments() : new Node.Arguments(List.of(), Map.of());
        value = postfix(new Node.Filter(value, name, arguments));
      } else if (tryName("is")) {
        boolean negated = tryName("not");
        String name = peek().type() == Type.NAME ? name() : tokens.get(at++).text();
        List<Expression> arguments = new ArrayList<>();
        if (tryOperator("(")) {
          arguments.addAll(arguments().positional());
        } else if (startsOperand()) {
          arguments.add(postfix(primary()));
        }
        value = new Node.Test(value, name, arguments, negated);
      } else {
        return value;
      }
    }
  }

  /** Whether a test's argument follows without parentheses, as in {@code is equalto 3}. */
  private boolean startsOperand() {
    Token t = peek();
    return switch (t.type()) {
      case STRING, INTEGER, FLOAT -> true;
      case NAME -> !Set.of("else", "or", "and", "not", "is", "if", "in").contains(t.text());
      default -> false;
    };
  }

  private Expression postfix(Expression value) {
    while (true) {
      if (tryOperator(".")) {
        value =
            peek().type() == Type.INTEGER
                ? new Node.Index(value, new Node.Literal(Long.valueOf(tokens.get(at++).text())))
                : new Node.Attribute(value, name());
      } else if (tryOperator("[")) {
        value = subscript(value);
      } else if (tryOperator("(")) {
        value = new Node.Call(value, arguments());
      } else {
        return value;
      }
    }
  }

  private Expression subscript(Expression object) {
    List<Optional<Expression>> parts = new ArrayList<>();
    boolean slice = false;
    Optional<Expression> part = Optional.empty();
    while (!tryOperator("]")) {
      if (tryOperator(":")) {
        slice = true;
        parts.add(part);
        part = Optional.empty();
      } else {
        part = Optional.of(expression());
      }
    }
    parts.add(part);
    if (!slice) {
      return new Node.Index(object, part.orElseThrow(() -> error("[] is empty")));
    }
    return new Node.Slice(
        object, parts.get(0), parts.get(1), parts.size() > 2 ? parts.get(2) : Optional.empty());
  }

  private Node.Arguments arguments() {
    List<Expression> positional = new ArrayList<>();
    Map<String, Expression> named = new LinkedHashMap<>();
    while (!tryOperator(")")) {
      if (peek().type() == Type.NAME && tokens.get(at + 1).is(Type.OPERATOR, "=")) {
        String name = name();
        at++;
        named.put(name, expression());
      } else {
        positional.add(expression());
      }
      if (!tryOperator(",") && !peek().is(Type.OPERATOR, ")")) {
        throw error("expected , or ) in a call");
      }
    }
    return new Node.Arguments(positional, named);
  }

  private Expression primary() {
    Token t = tokens.get(at++);
    return switch (t.type()) {
      case STRING -> {
        StringBuilder text = new StringBuilder(t.text());
        while (peek().type() == Type.STRING) { // adjacent strings join
          text.append(tokens.get(at++).text());
        }
        yield new Node.Literal(text.toString());
      }
      case INTEGER -> new Node.Literal(Long.valueOf(t.text()));
      case FLOAT -> new Node.Literal(Double.valueOf(t.text()));
      case NAME ->
          switch (t.text()) {
            case "true", "True" -> new Node.Literal(true);
            case "false", "False" -> new Node.Literal(false);
            case "none", "None" -> new Node.Literal(None.NONE);
            default -> {
              if (given.stream().noneMatch(scope -> scope.contains(t.text()))) {
                names.add(t.text());
              }
              yield new Node.Name(t.text());
            }
          };
      case OPERATOR ->
          switch (t.text()) {
            case "(" -> parenthesis();
            case "[" -> listOf();
            case "{" -> dictOf();
            default -> throw error("unexpected " + t.text());
          };
      default -> throw error("an expression ends early");
    };
  }

  private Expression parenthesis() {
    if (tryOperator(")")) {
      return new Node.ListOf(List.of());
    }
    Expression first = expression();
    if (tryOperator(")")) {
      return first;
    }
    List<Expression> items = new ArrayList<>(List.of(first));
    while (tryOperator(",") && !peek().is(Type.OPERATOR, ")")) {
      items.add(expression());
    }
    expect(Type.OPERATOR, ")");
    return new Node.ListOf(items);
  }

  private Expression listOf() {
    List<Expression> items = new ArrayList<>();
    while (!tryOperator("]")) {
      items.add(expression());
      if (!tryOperator(",") && !peek().is(Type.OPERATOR, "]")) {
        throw error("expected , or ] in a list");
      }
    }
    return new Node.ListOf(items);
  }

  private Expression dictOf() {
    List<Map.Entry<Expression, Expression>> entries = new ArrayList<>();
    while (!tryOperator("}")) {
      Expression key = expression();
      expect(Type.OPERATOR, ":");
      entries.add(Map.entry(key, expression()));
      if (!tryOperator(",") && !peek().is(Type.OPERATOR, "}")) {
        throw error("expected , or } in a dict");
      }
    }
    return new Node.DictOf(entries);
  }

  // ---- tokens ----

  final Token peek() {
    return tokens.get(at);
  }

  final boolean tryOperator(String text) {
    return advanceIf(peek().is(Type.OPERATOR, text));
  }

  final boolean tryName(String text) {
    return advanceIf(peek().is(Type.NAME, text));
  }

  private boolean advanceIf(boolean matches) {
    at += matches ? 1 : 0;
    return matches;
  }

  final boolean tryTag(String name) {
    if (peek().type() == Type.TAG_BEGIN && tokens.get(at + 1).is(Type.NAME, name)) {
      at += 2;
      return true;
    }
    return false;
  }

  final void end(String name) {
    if (!tryTag(name)) {
      throw error("expected " + name);
    }
    if (peek().type() == Type.NAME) {
      at++; // {% endmacro name %}
    }
    tagEnd();
  }

  final void tagEnd() {
    expect(Type.TAG_END, "");
  }

  final String name() {
    if (peek().type() != Type.NAME) {
      throw error("expected a name, found \"" + peek().text() + "\"");
    }
    return tokens.get(at++).text();
  }

  final void expect(Type type, String text) {
    Token t = peek();
    if (t.type() != type || !(text.isEmpty() || t.text().equals(text))) {
      String wanted =
          text.isEmpty() ? type.name().toLowerCase(Locale.ROOT).replace('_', ' ') : text;
      throw error("expected " + wanted + ", found \"" + t.text() + "\"");
    }
    at++;
  }

  final TemplateException error(String what) {
    return new TemplateException("line " + peek().line() + ": " + what);
  }
}

package org.loranative.text.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.loranative.text.jinja.Lexer.Token;
import org.loranative.text.jinja.Lexer.Type;
import org.loranative.text.jinja.Node.Expression;
import org.loranative.text.jinja.Node.Statement;

/** Recursive descent over the tokens, by Jinja's grammar and precedence. */
final class Parser {
  private static final int MAX_DEPTH = 200;

  private final List<Token> tokens;
  private int at;
  private int depth;

  private Parser(List<Token> tokens) {
    this.tokens = tokens;
  }

  static List<Statement> parse(String source) {
    Parser parser = new Parser(Lexer.tokens(source));
    List<Statement> body = parser.statements(Set.of());
    if (parser.peek().type() != Type.END) {
      throw parser.error("unexpected tag " + parser.tokens.get(parser.at + 1).text());
    }
    return body;
  }

  /** Statements up to a tag whose name is in {@code ends}, which is left unread. */
  private List<Statement> statements(Set<String> ends) {
    if (++depth > MAX_DEPTH) {
      throw error("tags are nested too deeply");
    }
    List<Statement> body = new ArrayList<>();
    while (true) {
      Token t = peek();
      if (t.type() == Type.END) {
        break;
      }
      if (t.type() == Type.TEXT) {
        at++;
        body.add(new Node.Text(t.text()));
      } else if (t.type() == Type.PRINT_BEGIN) {
        at++;
        body.add(new Node.Print(tuple()));
        expect(Type.PRINT_END, "");
      } else {
        String name = tokens.get(at + 1).text();
        if (ends.contains(name)) {
          break;
        }
        if (name.startsWith("end") || name.equals("else") || name.equals("elif")) {
          break;
        }
        at += 2;
        body.add(statement(name));
      }
    }
    depth--;
    return body;
  }

  private Statement statement(String name) {
    return switch (name) {
      case "if" -> ifStatement();
      case "for" -> forStatement();
      case "set" -> setStatement();
      case "macro" -> macro();
      case "generation" -> {
        tagEnd();
        List<Statement> body = statements(Set.of("endgeneration"));
        end("endgeneration");
        yield new Node.Body(body);
      }
      case "break" -> {
        tagEnd();
        yield Node.Flow.BREAK;
      }
      case "continue" -> {
        tagEnd();
        yield Node.Flow.CONTINUE;
      }
      default -> throw error("the tag \"" + name + "\" is not supported");
    };
  }

  private Statement ifStatement() {
    List<Node.Branch> branches = new ArrayList<>();
    List<Statement> otherwise = List.of();
    Expression condition = tuple();
    tagEnd();
    branches.add(new Node.Branch(condition, statements(Set.of("elif", "else", "endif"))));
    while (true) {
      if (tryTag("elif")) {
        condition = tuple();
        tagEnd();
        branches.add(new Node.Branch(condition, statements(Set.of("elif", "else", "endif"))));
      } else if (tryTag("else")) {
        tagEnd();
        otherwise = statements(Set.of("endif"));
      } else {
        end("endif");
        return new Node.If(branches, otherwise);
      }
    }
  }

  private Statement forStatement() {
    List<String> targets = targets();
    expect(Type.NAME, "in");
    Expression items = tupleNoCondition();
    Optional<Expression> filter = Optional.empty();
    if (tryName("if")) {
      filter = Optional.of(expression());
    }
    tryName("recursive");
    tagEnd();
    List<Statement> body = statements(Set.of("else", "endfor"));
    List<Statement> otherwise = List.of();
    if (tryTag("else")) {
      tagEnd();
      otherwise = statements(Set.of("endfor"));
    }
    end("endfor");
    return new Node.For(targets, items, filter, body, otherwise);
  }

  private Statement setStatement() {
    List<String> targets = targets();
    Optional<String> field = Optional.empty();
    if (tryOperator(".")) {
      field = Optional.of(name());
    }
    if (tryOperator("=")) {
      Expression value = tuple();
      tagEnd();
      return new Node.Set(targets, field, value);
    }
    tagEnd();
    List<Statement> body = statements(Set.of("endset"));
    end("endset");
    return new Node.SetBlock(targets.get(0), body);
  }

  private Statement macro() {
    String name = name();
    expect(Type.OPERATOR, "(");
    List<Node.Parameter> parameters = new ArrayList<>();
    while (!tryOperator(")")) {
      String parameter = name();
      parameters.add(
          new Node.Parameter(
              parameter, tryOperator("=") ? Optional.of(expression()) : Optional.empty()));
      if (!tryOperator(",") && !peek().is(Type.OPERATOR, ")")) {
        throw error("expected , or ) in the macro's parameters");
      }
    }
    tagEnd();
    List<Statement> body = statements(Set.of("endmacro"));
    end("endmacro");
    return new Node.Macro(name, parameters, body);
  }

  private List<String> targets() {
    List<String> targets = new ArrayList<>();
    boolean parenthesis = tryOperator("(");
    do {
      targets.add(name());
    } while (tryOperator(","));
    if (parenthesis) {
      expect(Type.OPERATOR, ")");
    }
    return targets;
  }

  // ---- expressions, loosest first ----

  /** An expression, or several with commas between, which make a list. */
  private Expression tuple() {
    return commas(expression());
  }

  private Expression tupleNoCondition() {
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

  private Expression expression() {
    if (++depth > MAX_DEPTH) {
      throw error("expressions are nested too deeply");
    }
    Expression value = or();
    while (tryName("if")) {
      Expression condition = or();
      Optional<Expression> no = tryName("else") ? Optional.of(expression()) : Optional.empty();
      value = new Node.Conditional(condition, value, no);
    }
    depth--;
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
    return tryName("not") ? new Node.Unary("not", not()) : comparison();
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
      return new Node.Unary("-", unary());
    }
    if (tryOperator("+")) {
      return unary();
    }
    return filters(power());
  }

  private Expression power() {
    Expression left = postfix(primary());
    return tryOperator("**") ? new Node.Binary("**", left, unary()) : left;
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
            default -> new Node.Name(t.text());
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

  private Token peek() {
    return tokens.get(at);
  }

  private boolean tryOperator(String text) {
    return advanceIf(peek().is(Type.OPERATOR, text));
  }

  private boolean tryName(String text) {
    return advanceIf(peek().is(Type.NAME, text));
  }

  private boolean advanceIf(boolean matches) {
    at += matches ? 1 : 0;
    return matches;
  }

  private boolean tryTag(String name) {
    if (peek().type() == Type.TAG_BEGIN && tokens.get(at + 1).is(Type.NAME, name)) {
      at += 2;
      return true;
    }
    return false;
  }

  private void end(String name) {
    if (!tryTag(name)) {
      throw error("expected " + name);
    }
    if (peek().type() == Type.NAME) {
      at++; // {% endmacro name %}
    }
    tagEnd();
  }

  private void tagEnd() {
    expect(Type.TAG_END, "");
  }

  private String name() {
    if (peek().type() != Type.NAME) {
      throw error("expected a name, found \"" + peek().text() + "\"");
    }
    return tokens.get(at++).text();
  }

  private void expect(Type type, String text) {
    Token t = peek();
    if (t.type() != type || !(text.isEmpty() || t.text().equals(text))) {
      String wanted = text.isEmpty() ? type.name().toLowerCase().replace('_', ' ') : text;
      throw error("expected " + wanted + ", found \"" + t.text() + "\"");
    }
    at++;
  }

  private TemplateException error(String what) {
    return new TemplateException("line " + peek().line() + ": " + what);
  }
}

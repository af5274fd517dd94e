package org.loranative.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.loranative.text.jinja.Lexer.Token;
import org.loranative.text.jinja.Lexer.Type;
import org.loranative.text.jinja.Node.Expression;
import org.loranative.text.jinja.Node.Statement;

/** Statements: text, prints and tags, by recursive descent. */
final class Parser extends ExpressionParser {
  private Parser(List<Token> tokens) {
    super(tokens);
  }

  /**
   * @param reads every name whose value is asked for where the template has given it none
   */
  record Parsed(List<Statement> body, Set<String> reads) {}

  static Parsed parse(String source) {
    Parser parser = new Parser(Lexer.tokens(source));
    List<Statement> body = parser.statements(Set.of());
    if (parser.peek().type() != Type.END) {
      throw parser.error("unexpected tag " + parser.tokens.get(parser.at + 1).text());
    }
    return new Parsed(body, Set.copyOf(parser.names));
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
        yield new Node.Generation(body);
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
    List<Set<String>> given = new ArrayList<>(); // by each branch
    boolean whole = false;
    do {
      Expression condition = tuple();
      tagEnd();
      enterScope();
      branches.add(new Node.Branch(condition, statements(Set.of("elif", "else", "endif"))));
      given.add(leaveScope());
    } while (tryTag("elif"));
    if (tryTag("else")) {
      tagEnd();
      enterScope();
      otherwise = statements(Set.of("endif"));
      given.add(leaveScope());
      whole = true;
    }
    end("endif");
    if (whole) {
      give(given.get(0).stream().filter(n -> given.stream().allMatch(g -> g.contains(n))).toList());
    }
    return new Node.If(branches, otherwise);
  }

  private Statement forStatement() {
    List<String> targets = targets();
    expect(Type.NAME, "in");
    Expression items = tupleNoCondition();
    enterScope();
    give(targets);
    Optional<Expression> filter = Optional.empty();
    if (tryName("if")) {
      filter = Optional.of(expression());
    }
    tryName("recursive");
    tagEnd();
    give(List.of("loop"));
    List<Statement> body = statements(Set.of("else", "endfor"));
    leaveScope();
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
      if (field.isEmpty()) {
        give(targets);
      }
      return new Node.Set(targets, field, value);
    }
    tagEnd();
    List<Statement> body = statements(Set.of("endset"));
    end("endset");
    give(targets);
    return new Node.SetBlock(targets.get(0), body);
  }

  private Statement macro() {
    String name = name();
    give(List.of(name));
    expect(Type.OPERATOR, "(");
    enterScope();
    List<Node.Parameter> parameters = new ArrayList<>();
    while (!tryOperator(")")) {
      String parameter = name();
      give(List.of(parameter));
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
    leaveScope();
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
}

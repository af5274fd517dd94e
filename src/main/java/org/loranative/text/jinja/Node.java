package org.loranative.text.jinja;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The syntax tree: statements write text, expressions have a value. */
final class Node {
  private Node() {}

  sealed interface Statement permits Text, Print, If, For, Set, SetBlock, Macro, Flow, Generation {}

  record Text(String text) implements Statement {}

  record Print(Expression value) implements Statement {}

  record Branch(Expression condition, List<Statement> body) {}

  record If(List<Branch> branches, List<Statement> otherwise) implements Statement {}

  record For(
      List<String> targets,
      Expression items,
      Optional<Expression> filter,
      List<Statement> body,
      List<Statement> otherwise)
      implements Statement {}

  /** {@code set a, b = value}, or {@code set namespace.field = value}. */
  record Set(List<String> targets, Optional<String> field, Expression value) implements Statement {}

  record SetBlock(String target, List<Statement> body) implements Statement {}

  record Macro(String name, List<Parameter> parameters, List<Statement> body)
      implements Statement {}

  record Parameter(String name, Optional<Expression> otherwise) {}

  enum Flow implements Statement {
    BREAK,
    CONTINUE
  }

  /** What the model is to learn, as transformers marks it. */
  record Generation(List<Statement> body) implements Statement {}

  sealed interface Expression
      permits Literal,
          Name,
          ListOf,
          DictOf,
          Unary,
          Binary,
          Conditional,
          Attribute,
          Index,
          Slice,
          Call,
          Filter,
          Test {}

  record Literal(Object value) implements Expression {}

  record Name(String name) implements Expression {}

  record ListOf(List<Expression> items) implements Expression {}

  record DictOf(List<Map.Entry<Expression, Expression>> entries) implements Expression {}

  record Unary(String operator, Expression operand) implements Expression {}

  record Binary(String operator, Expression left, Expression right) implements Expression {}

  record Conditional(Expression condition, Expression yes, Optional<Expression> no)
      implements Expression {}

  record Attribute(Expression object, String name) implements Expression {}

  record Index(Expression object, Expression key) implements Expression {}

  record Slice(
      Expression object,
      Optional<Expression> from,
      Optional<Expression> to,
      Optional<Expression> step)
      implements Expression {}

  record Arguments(List<Expression> positional, Map<String, Expression> named) {}

  record Call(Expression callee, Arguments arguments) implements Expression {}

  record Filter(Expression value, String name, Arguments arguments) implements Expression {}

  record Test(Expression value, String name, List<Expression> arguments, boolean negated)
      implements Expression {}
}

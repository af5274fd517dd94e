package org.loranative.text.jinja;

import java.util.ArrayList;
import java.util.List;

/** Cuts a template into text and the tokens of its tags, applying whitespace control. */
final class Lexer {
  enum Type {
    /** Literal text outside tags. */
    TEXT,
    TAG_BEGIN, // {%
    TAG_END, // %}
    PRINT_BEGIN, // {{
    PRINT_END, // }}
    NAME,
    STRING,
    INTEGER,
    FLOAT,
    OPERATOR,
    END
  }

  record Token(Type type, String text, int line) {
    boolean is(Type t, String s) {
      return type == t && text.equals(s);
    }
  }

  private static final List<String> OPERATORS =
      List.of(
          "//", "**", "==", "!=", "<=", ">=", "<", ">", "=", "+", "-", "*", "/", "%", "~", "(", ")",
          "[", "]", "{", "}", ",", ":", ".", "|");

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int at;
  private int line = 1;

  private Lexer(String source) {
    // Jinja drops one newline at the end of a template.
    this.source = source.endsWith("\n") ? source.substring(0, source.length() - 1) : source;
  }

  static List<Token> tokens(String source) {
    Lexer lexer = new Lexer(source);
    lexer.run();
    return lexer.tokens;
  }

  private void run() {
    boolean stripNext = false; // the last tag ended with -
    boolean trimNewline = false; // the last tag was a block or a comment: trim_blocks
    while (at <= source.length()) {
      int open = nextOpening();
      String text = source.substring(at, open);
      int textLine = line;
      countLines(text);
      if (stripNext) {
        text = text.stripLeading();
      } else if (trimNewline && text.startsWith("\n")) {
        text = text.substring(1);
      }
      if (open == source.length()) {
        add(Type.TEXT, text, textLine);
        break;
      }
      char kind = source.charAt(open + 1);
      char control = open + 2 < source.length() ? source.charAt(open + 2) : ' ';
      at = open + 2;
      if (control == '-') {
        text = text.stripTrailing();
        at++;
      } else if (control == '+') {
        at++;
      } else if (kind != '{') {
        text = stripBlockIndent(text, open);
      }
      add(Type.TEXT, text, textLine);
      if (kind == '#') {
        int close = source.indexOf("#}", at);
        if (close < 0) {
          throw error("a comment is not closed");
        }
        countLines(source.substring(at, close));
        stripNext = source.charAt(close - 1) == '-' && close > at;
        at = close + 2;
        trimNewline = true;
      } else {
        add(kind == '%' ? Type.TAG_BEGIN : Type.PRINT_BEGIN, "", line);
        stripNext = tag(kind == '%' ? "%}" : "}}");
        add(kind == '%' ? Type.TAG_END : Type.PRINT_END, "", line);
        trimNewline = kind == '%';
      }
    }
    add(Type.END, "", line);
  }

  private int nextOpening() {
    for (int i = at; i + 1 < source.length(); i++) {
      if (source.charAt(i) == '{' && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
        return i;
      }
    }
    return source.length();
  }

  /** lstrip_blocks: spaces before a tag that begins its line go. */
  private String stripBlockIndent(String text, int open) {
    int i = open;
    while (i > 0 && (source.charAt(i - 1) == ' ' || source.charAt(i - 1) == '\t')) {
      i--;
    }
    boolean beginsLine = i == 0 || source.charAt(i - 1) == '\n';
    int indent = open - i;
    return beginsLine && text.length() >= indent ? text.substring(0, text.length() - indent) : text;
  }

  /** Reads tokens up to {@code close}; returns whether it was written with a minus. */
  private boolean tag(String close) {
    int braces = 0;
    while (true) {
      skipSpace();
      if (at >= source.length()) {
        throw error("a tag is not closed with " + close);
      }
      if (braces == 0 && source.startsWith(close, at)) {
        at += 2;
        return false;
      }
      if (braces == 0 && "-+".indexOf(source.charAt(at)) >= 0 && source.startsWith(close, at + 1)) {
        at += 3;
        return source.charAt(at - 3) == '-';
      }
      char c = source.charAt(at);
      if (c == '"' || c == '\'') {
        string(c);
      } else if (Character.isDigit(c)) {
        number();
      } else if (Character.isLetter(c) || c == '_') {
        int start = at;
        while (at < source.length()
            && (Character.isLetterOrDigit(source.charAt(at)) || source.charAt(at) == '_')) {
          at++;
        }
        add(Type.NAME, source.substring(start, at), line);
      } else {
        String operator =
            OPERATORS.stream()
                .filter(o -> source.startsWith(o, at))
                .findFirst()
                .orElseThrow(() -> error("unexpected character '" + c + "'"));
        braces += operator.equals("{") ? 1 : operator.equals("}") ? -1 : 0;
        add(Type.OPERATOR, operator, line);
        at += operator.length();
      }
    }
  }

  private void string(char quote) {
    StringBuilder text = new StringBuilder();
    for (at++; ; at++) {
      if (at >= source.length()) {
        throw error("a string is not closed");
      }
      char c = source.charAt(at);
      if (c == quote) {
        at++;
        break;
      }
      if (c == '\\' && at + 1 < source.length()) {
        char e = source.charAt(++at);
        switch (e) {
          case 'n' -> text.append('\n');
          case 't' -> text.append('\t');
          case 'r' -> text.append('\r');
          case '\\', '\'', '"' -> text.append(e);
          case 'u' -> {
            text.append((char) Integer.parseInt(source.substring(at + 1, at + 5), 16));
            at += 4;
          }
          default -> text.append('\\').append(e);
        }
      } else {
        text.append(c);
      }
    }
    add(Type.STRING, text.toString(), line);
  }

  private void number() {
    int start = at;
    while (at < source.length() && Character.isDigit(source.charAt(at))) {
      at++;
    }
    boolean fraction =
        at + 1 < source.length()
            && source.charAt(at) == '.'
            && Character.isDigit(source.charAt(at + 1));
    if (fraction) {
      at++;
      while (at < source.length() && Character.isDigit(source.charAt(at))) {
        at++;
      }
    }
    add(fraction ? Type.FLOAT : Type.INTEGER, source.substring(start, at), line);
  }

  private void skipSpace() {
    while (at < source.length() && Character.isWhitespace(source.charAt(at))) {
      if (source.charAt(at) == '\n') {
        line++;
      }
      at++;
    }
  }

  private void countLines(String text) {
    line += (int) text.chars().filter(c -> c == '\n').count();
  }

  private void add(Type type, String text, int atLine) {
    if (type != Type.TEXT || !text.isEmpty()) {
      tokens.add(new Token(type, text, atLine));
    }
  }

  private TemplateException error(String what) {
    return new TemplateException("line " + line + ": " + what);
  }
}

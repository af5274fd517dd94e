package org.loranative.train.llm;

import java.util.List;
import org.loranative.data.llm.Example;
import org.loranative.text.Tokenizer;

/**
 * An example for people to look at: which of its tokens are trained.
 *
 * @param record where it came from
 * @param trained tokens whose prediction is learnt
 * @param tokens of the example in all
 */
public record ShownExample(String record, List<Token> parts, int trained, int tokens) {
  /**
   * A token, or those that make one character.
   *
   * @param special whether it is a control token, which stands for itself and no text
   */
  public record Token(String text, boolean trained, boolean special) {}

  public static ShownExample of(Example example, Tokenizer tokenizer) {
    List<Token> parts =
        Pieces.tokens(example, tokenizer).stream()
            .map(
                p ->
                    new Token(
                        visible(p.text()),
                        isTrained(example, p),
                        tokenizer.isSpecial(example.ids()[p.from()])))
            .toList();
    return new ShownExample(
        example.source().toString(), parts, example.labelled(), example.length());
  }

  /** Each token is learnt by the one before it. */
  private static boolean isTrained(Example example, Pieces.Tokens piece) {
    for (int i = Math.max(1, piece.from()); i < piece.to(); i++) {
      if (example.labels()[i - 1] >= 0) {
        return true;
      }
    }
    return false;
  }

  /** Line breaks get a sign, and control characters the pictures that Unicode has of them. */
  private static String visible(String text) {
    StringBuilder shown = new StringBuilder();
    text.codePoints()
        .forEach(
            c -> {
              if (c == '\n') {
                shown.append("↵\n");
              } else if (c < ' ') {
                shown.append((char) ('\u2400' + c));
              } else if (Character.isISOControl(c)) {
                shown.append('\ufffd');
              } else {
                shown.appendCodePoint(c);
              }
            });
    return shown.toString();
  }
}

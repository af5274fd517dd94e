package org.loranative.cli;

import org.loranative.Counted;
import org.loranative.train.llm.ShownExample;

/**
 * Examples as lines of a terminal. In colours, what is trained is black on green and the rest grey,
 * shades taking turns so that each token can be seen; without, each trained token is in ⟦brackets⟧.
 */
final class MaskText {
  private static final String[] TRAINED = {"\u001b[30;42m", "\u001b[30;102m"};
  private static final String[] READ = {"\u001b[90m", "\u001b[37m"};
  private static final String BOLD = "\u001b[1m";
  private static final String PLAIN = "\u001b[0m";

  private MaskText() {}

  /** What the marks mean. */
  static String legend(boolean colours) {
    return colours
        ? TRAINED[0] + "trained" + PLAIN + " " + READ[0] + "only read" + PLAIN
        : "⟦trained⟧ only read";
  }

  static String of(ShownExample example, boolean colours) {
    StringBuilder text = new StringBuilder(title(example)).append('\n');
    int n = 0;
    for (ShownExample.Token token : example.parts()) {
      text.append(colours ? coloured(token, n++ % 2) : bracketed(token));
    }
    return text.append(text.charAt(text.length() - 1) == '\n' ? "" : "\n").toString();
  }

  /** Where an example is from and how much of it is trained. */
  static String title(ShownExample e) {
    return String.format(
        "%s: %s, %d trained, %d only read",
        e.record(), Counted.of(e.tokens(), "token"), e.trained(), e.tokens() - e.trained());
  }

  private static String coloured(ShownExample.Token token, int shade) {
    String on = (token.special() ? BOLD : "") + (token.trained() ? TRAINED : READ)[shade];
    // A colour that runs over a line's end would fill the rest of the line.
    return on + token.text().replace("\n", PLAIN + "\n" + on) + PLAIN;
  }

  private static String bracketed(ShownExample.Token token) {
    if (!token.trained()) {
      return token.text();
    }
    String text = token.text();
    String end = text.endsWith("\n") ? "\n" : "";
    return "⟦" + text.substring(0, text.length() - end.length()) + "⟧" + end;
  }
}

package org.loranative;

/** A word of a command line that a user is shown to type, or to paste into a shell. */
public final class ShellWord {
  private ShellWord() {}

  /** As it is where no shell reads anything into it, else in single quotes. */
  public static String of(Object word) {
    String text = word.toString();
    return text.matches("[\\p{L}\\p{N}_./:=@%+,-]+")
        ? text
        : "'" + text.replace("'", "'\\''") + "'";
  }
}

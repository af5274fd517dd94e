package org.loranative.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import org.jline.terminal.TerminalBuilder;
import org.loranative.UserException;
import org.loranative.track.Console;

/**
 * How the program speaks to its surroundings: numbers, dates and letters alike in every country,
 * and in UTF-8 where the system names no encoding.
 */
final class Terminal {
  /** What Java puts where an argument's bytes are no characters of the locale's encoding. */
  private static final String LOST = "\ufffd";

  private Terminal() {}

  /** Opens it; called before anything is printed, formatted or compared. */
  static Console open() {
    Locale.setDefault(Locale.ROOT);
    if (isPosix()) {
      System.setOut(utf8(FileDescriptor.out));
      System.setErr(utf8(FileDescriptor.err));
    }
    boolean terminal = keyboard().isPresent();
    return new Console(System.out, terminal, terminal && hasColours());
  }

  /** See no-color.org. */
  private static boolean hasColours() {
    String unwanted = Optional.ofNullable(System.getenv("NO_COLOR")).orElse("");
    return unwanted.isEmpty() && !"dumb".equals(System.getenv("TERM"));
  }

  /** Characters in a line: what COLUMNS says, or what the terminal has; none for a file or pipe. */
  static OptionalInt width() {
    String columns = Optional.ofNullable(System.getenv("COLUMNS")).orElse("");
    if (columns.matches("[1-9]\\d{0,5}")) {
      return OptionalInt.of(Integer.parseInt(columns));
    }
    if (keyboard().isEmpty()) {
      return OptionalInt.empty();
    }
    try (org.jline.terminal.Terminal terminal = TerminalBuilder.builder().dumb(true).build()) {
      return terminal.getWidth() > 0 ? OptionalInt.of(terminal.getWidth()) : OptionalInt.empty();
    } catch (IOException e) {
      return OptionalInt.empty();
    }
  }

  /** What somebody types at; empty where input or output is a file or a pipe. */
  @SuppressWarnings("SystemConsoleNull") // it is null before Java 22
  static Optional<java.io.Console> keyboard() {
    return Optional.ofNullable(System.console()).filter(Terminal::isTerminal);
  }

  /** Since Java 22 there is a console for pipes too, which says that it is none. */
  private static boolean isTerminal(java.io.Console console) {
    try {
      return (boolean) java.io.Console.class.getMethod("isTerminal").invoke(console);
    } catch (NoSuchMethodException e) {
      return true;
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Whether the locale is POSIX, as in containers, cron and ssh without LANG. */
  private static boolean isPosix() {
    String encoding = System.getProperty("sun.jnu.encoding", "UTF-8");
    return Charset.forName(encoding).equals(StandardCharsets.US_ASCII);
  }

  private static PrintStream utf8(FileDescriptor to) {
    return new PrintStream(new FileOutputStream(to), true, StandardCharsets.UTF_8);
  }

  /**
   * Checks that the arguments arrived as they were typed.
   *
   * @throws UserException if the locale has lost some of their letters
   */
  static void requireWhole(String[] args) {
    if (isPosix() && Arrays.stream(args).anyMatch(a -> a.contains(LOST))) {
      throw new UserException("An argument has letters beyond ASCII. " + advice());
    }
  }

  /** What to do about a file name that cannot be read. */
  static String advice() {
    return isPosix()
        ? "The locale is POSIX (LC_ALL, LANG), in which Java reads no name or argument beyond"
            + " ASCII: put LC_ALL=C.UTF-8 before the command."
        : "Rename the file, and what names it.";
  }
}

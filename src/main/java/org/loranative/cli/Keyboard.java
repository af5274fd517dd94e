package org.loranative.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

/**
 * What is typed, line by line: at a terminal with history and editing, else as standard input has
 * it.
 */
final class Keyboard {
  /**
   * Leads a conversation to its end.
   *
   * @param chat is told whether Ctrl-C has been pressed since the last line
   */
  void converse(Function<BooleanSupplier, Chat> chat) throws IOException {
    if (org.loranative.cli.Terminal.keyboard().isPresent()) {
      atTerminal(chat);
    } else {
      Chat piped = chat.apply(() -> false);
      try (BufferedReader in =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
        String line = in.readLine();
        while (line != null && piped.take(line)) {
          line = in.readLine();
        }
      }
    }
  }

  private static void atTerminal(Function<BooleanSupplier, Chat> chat) throws IOException {
    AtomicBoolean interrupted = new AtomicBoolean();
    Chat typed = chat.apply(interrupted::get);
    System.out.println("(/help lists commands; Ctrl-D ends.)");
    try (Terminal terminal = TerminalBuilder.builder().system(true).build()) {
      LineReader reader =
          LineReaderBuilder.builder()
              .terminal(terminal)
              .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true) // ! is a letter here
              .build();
      terminal.handle(Terminal.Signal.INT, signal -> interrupted.set(true));
      boolean goesOn = true;
      while (goesOn) {
        interrupted.set(false);
        goesOn = typed.take(reader.readLine("> "));
      }
    } catch (EndOfFileException | UserInterruptException e) {
      System.out.println();
    }
  }
}

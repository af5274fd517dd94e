package org.loranative.cli;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.loranative.UserException;
import org.loranative.text.ChatTemplate.Message;
import org.loranative.train.llm.Respondent;

/**
 * A conversation at the terminal. One history is kept: what is asked is answered by the model with
 * its adapters, by the base, or by both; then the adapters' answer is the one that is gone on from.
 */
final class Chat {
  private static final String HELP =
      """
      /adapter on | off | both   who answers: with the adapters, the base alone, one after the other
      /retry                     answers the last question again
      /reset                     forgets the conversation
      /system TEXT               sets the system prompt and forgets the conversation
      /help                      lists these
      /exit                      ends (as Ctrl-D does); Ctrl-C ends an answer
      """;

  private enum Who {
    ON,
    OFF,
    BOTH
  }

  private final Respondent adapted;
  private final Optional<Supplier<Respondent>> base;
  private final Respondent.Manner manner;
  private final PrintStream out;
  private final BooleanSupplier cancelled;
  private final List<Message> history = new ArrayList<>();
  private Optional<String> system;
  private Who who;

  /**
   * @param base opened when it is first asked; absent where no adapters were given: then {@code
   *     adapted} is the base
   * @param both whether both answer at first
   * @param cancelled whether an answer is to end
   */
  Chat(
      Respondent adapted,
      Optional<Supplier<Respondent>> base,
      Respondent.Manner manner,
      Optional<String> system,
      boolean both,
      PrintStream out,
      BooleanSupplier cancelled) {
    this.adapted = adapted;
    this.base = base;
    this.manner = manner;
    this.system = system;
    this.who = both ? Who.BOTH : Who.ON;
    this.out = out;
    this.cancelled = cancelled;
  }

  /** Takes a line; returns whether the conversation goes on. */
  boolean take(String line) {
    String text = line.strip();
    if (text.isEmpty()) {
      return true;
    }
    try {
      if (text.startsWith("/")) {
        String[] words = text.split("\\s+", 2);
        return command(words[0], words.length > 1 ? words[1] : "");
      }
      ask(text);
    } catch (UserException e) {
      out.println("(" + e.getMessage() + ")");
    }
    return true;
  }

  private boolean command(String name, String argument) {
    switch (name) {
      case "/exit", "/quit", "/bye" -> {
        return false;
      }
      case "/help" -> out.print(HELP);
      case "/reset" -> {
        history.clear();
        out.println("(The conversation is forgotten.)");
      }
      case "/system" -> {
        system = Optional.of(argument).filter(s -> !s.isEmpty());
        history.clear();
        out.println("(" + (system.isEmpty() ? "No system prompt" : "System prompt set") + ".)");
      }
      case "/adapter" -> adapter(argument);
      case "/retry" -> {
        if (history.isEmpty()) {
          out.println("(Nothing has been asked yet.)");
        } else {
          String question = history.get(history.size() - 2).content();
          history.subList(history.size() - 2, history.size()).clear();
          ask(question);
        }
      }
      default -> out.println("(" + name + " is no command; /help lists them.)");
    }
    return true;
  }

  private void adapter(String argument) {
    if (base.isEmpty()) {
      out.println("(No --adapter was given, so the base answers.)");
      return;
    }
    switch (argument.toLowerCase(Locale.ROOT)) {
      case "on" -> who = Who.ON;
      case "off" -> who = Who.OFF;
      case "both" -> who = Who.BOTH;
      default -> {
        out.println("(/adapter on, /adapter off or /adapter both.)");
        return;
      }
    }
    out.println(
        switch (who) {
          case ON -> "(Answers with the adapters.)";
          case OFF -> "(The base answers alone.)";
          case BOTH -> "(The base answers, then the model with the adapters.)";
        });
  }

  private void ask(String question) {
    Message asked = new Message("user", question);
    history.add(asked);
    boolean answered = false;
    try {
      String answer;
      if (who == Who.BOTH) {
        out.print("[base] ");
        reply(base.orElseThrow().get());
        out.print("[adapter] ");
        answer = reply(adapted);
      } else {
        answer = reply(who == Who.OFF ? base.orElseThrow().get() : adapted);
      }
      history.add(new Message("assistant", answer));
      answered = true;
    } finally {
      if (!answered) {
        history.remove(history.size() - 1);
      }
    }
  }

  private String reply(Respondent respondent) {
    int[] prompt = fitting(respondent);
    Respondent.Reply reply =
        respondent.reply(
            prompt,
            manner,
            text -> {
              out.print(text);
              out.flush();
              return !cancelled.getAsBoolean();
            });
    out.println();
    if (reply.end() == Respondent.End.LENGTH) {
      out.println("(Cut off after " + reply.tokens() + " tokens; --max-tokens allows more.)");
    }
    return reply.text();
  }

  /** The conversation's tokens; the oldest turns are left out, and this said, until they fit. */
  private int[] fitting(Respondent respondent) {
    int before = history.size();
    int[] prompt = respondent.prompt(messages());
    while (respondent.tooLong(prompt, manner.maxTokens()).isPresent() && history.size() > 2) {
      history.subList(0, 2).clear();
      prompt = respondent.prompt(messages());
    }
    if (history.size() < before) {
      out.printf(
          "(The conversation no longer fits the context of %d tokens; its first %d questions are"
              + " forgotten.)%n",
          respondent.context(), (before - history.size()) / 2);
    }
    return prompt;
  }

  private List<Message> messages() {
    List<Message> all = new ArrayList<>();
    system.ifPresent(s -> all.add(new Message("system", s)));
    all.addAll(history);
    return all;
  }
}

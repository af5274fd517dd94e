package org.loranative.data.llm;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.loranative.data.llm.Formats.Conversation;
import org.loranative.text.ChatTemplate;
import org.loranative.text.ChatTemplate.Message;
import org.loranative.text.jinja.Rendering;
import org.loranative.text.jinja.Rendering.Span;
import org.loranative.text.jinja.TemplateException;

/**
 * A rendered conversation and what of it the model is to learn: what it would have to write itself,
 * which is everything of an answer's turn behind the header that opens it, reasoning, tool calls
 * and the turn's end included. A template that marks this with {@code {% generation %}} is taken at
 * its word. Of others the interpreter tells which text it wrote for which message; the header is
 * what the template adds when it is asked to open a turn, or else what stays the same when the
 * answer is another one.
 *
 * @param text the rendering
 * @param learnt its parts to learn
 * @param lost what the record holds and the template does not write, in words
 */
record Turns(String text, List<Span> learnt, List<String> lost) {
  private static final String MARKER = "\uE0A0answer\uE0A1";
  private static final String THINKING_ENDS = "</think>";

  /**
   * @param everything learn all of the text
   */
  static Turns of(ChatTemplate template, Conversation asRecorded, boolean everything)
      throws FormatException {
    Conversation c = rendered(template, asRecorded);
    Rendering r = template.render(c.messages(), c.tools(), false);
    List<String> lost = new ArrayList<>();
    for (int i = 0; i < c.messages().size(); i++) {
      String scope =
          Span.around(r.items().get(i))
              .map(s -> s.of(r.text()))
              .filter(s -> !everything)
              .orElse("");
      lost.addAll(lost(c.messages().get(i), i, scope.isEmpty() ? r.text() : scope, r.text()));
    }
    if (!c.tools().isEmpty() && c.tools().stream().noneMatch(t -> r.text().contains(name(t)))) {
      lost.add("the list of tools");
    }
    if (everything) {
      return new Turns(r.text(), List.of(new Span(0, r.text().length())), lost);
    }
    return new Turns(
        r.text(), r.generated().isEmpty() ? aligned(template, c, r) : marked(c, r), lost);
  }

  /** The conversation in the form that the template writes as it is meant, or at all. */
  private static Conversation rendered(ChatTemplate template, Conversation c) {
    Optional<Conversation> written = Optional.empty();
    Optional<TemplateException> refusal = Optional.empty();
    for (boolean argumentsAsText : new boolean[] {false, true}) {
      for (Formats.NoContent noContent : Formats.NoContent.values()) {
        Conversation form = c.inForm(argumentsAsText, noContent);
        try {
          if (isWhole(form, template.render(form.messages(), form.tools(), false))) {
            return form;
          }
          written = written.or(() -> Optional.of(form));
        } catch (TemplateException e) {
          refusal = refusal.or(() -> Optional.of(e));
        }
      }
    }
    return written.orElseThrow(refusal::get);
  }

  /** Whether all calls of tools are in the text, and no content that is null as the word None. */
  private static boolean isWhole(Conversation c, Rendering r) {
    for (int i = 0; i < c.messages().size(); i++) {
      Message m = c.messages().get(i);
      String turn = Span.around(r.items().get(i)).map(s -> s.of(r.text())).orElse(r.text());
      if (m.fields().get("content") == null && turn.contains("None")
          || !calls(m).stream().allMatch(call -> turn.contains(name(call)))) {
        return false;
      }
    }
    return true;
  }

  private static List<?> calls(Message m) {
    return m.fields().get("tool_calls") instanceof List<?> calls ? calls : List.of();
  }

  /** By the template's own marks; an answer without weight takes those in its turn with it. */
  private static List<Span> marked(Conversation c, Rendering r) throws FormatException {
    List<Span> learnt = new ArrayList<>(r.generated());
    for (int i = 0; i < c.messages().size(); i++) {
      Message m = c.messages().get(i);
      if (isAnswer(m) && !c.learns(i)) {
        Span turn = turn(r, i);
        learnt.removeIf(s -> s.from() >= turn.from() && s.to() <= turn.to());
      }
    }
    return learnt;
  }

  private static List<Span> aligned(ChatTemplate template, Conversation c, Rendering r)
      throws FormatException {
    requireOwnTurns(c, r);
    Optional<Rendering> other = withOtherAnswers(template, c);
    String opening = opening(template, c);
    List<Span> learnt = new ArrayList<>();
    for (int i = 0; i < c.messages().size(); i++) {
      if (!isAnswer(c.messages().get(i)) || !c.learns(i)) {
        continue;
      }
      Span turn = turn(r, i);
      String text = turn.of(r.text());
      int n = i;
      String otherText =
          other
              .flatMap(o -> Span.around(o.items().get(n)).map(s -> s.of(o.text())))
              .orElse(opening.isEmpty() ? "" : text);
      int from = answerStart(text, commonPrefix(text, otherText), opening, c.messages().get(i));
      int to = text.stripTrailing().length();
      if (from >= to) {
        throw new FormatException(
            "the chat template writes nothing of message " + (i + 1) + ", an answer");
      }
      learnt.add(new Span(turn.from() + from, turn.from() + to));
    }
    return learnt;
  }

  /**
   * Where in a turn that begins with {@code same} whatever the answer is the answer begins: behind
   * what opens a turn, or as much of it as stands there (some templates open reasoning that they do
   * not write again).
   */
  private static int answerStart(String turn, int same, String opening, Message answer) {
    int header = opening.isEmpty() ? -1 : turn.indexOf(opening);
    if (header >= 0 && header + opening.length() <= same) {
      return header + opening.length();
    }
    int shared = Math.min(same, commonPrefix(turn, opening));
    int start = shared > 0 ? shared : same;
    if (opening.isEmpty() && turn.substring(0, start).isBlank()) {
      return 0; // nothing but the answer
    }
    // Blanks that a template leaves when it cuts reasoning off are none of the answer's.
    return answer.content().contains(THINKING_ENDS) ? afterBlanks(turn, start) : start;
  }

  /** What a message's turn is; only a template that writes each message in one place tells. */
  private static Span turn(Rendering r, int i) throws FormatException {
    List<Span> spans = r.items().get(i);
    if (spans.size() != 1) {
      throw new FormatException(
          "the chat template writes message "
              + (i + 1)
              + (spans.isEmpty() ? " not in its loop over the messages" : " in several places")
              + ", so the answer cannot be told from its text; use a template that marks answers"
              + " with {% generation %}, or train_on: all");
    }
    return spans.get(0);
  }

  /** A template that writes a tool's result within the answer would have it learnt. */
  private static void requireOwnTurns(Conversation c, Rendering r) throws FormatException {
    for (int i = 0; i < c.messages().size(); i++) {
      Message m = c.messages().get(i);
      if (r.items().get(i).isEmpty() && !isAnswer(m) && !m.content().isBlank()) {
        for (int j = 0; j < i; j++) {
          boolean within =
              isAnswer(c.messages().get(j))
                  && r.items().get(j).stream()
                      .anyMatch(s -> s.of(r.text()).contains(m.content().strip()));
          if (within) {
            throw new FormatException(
                "the chat template writes message "
                    + (i + 1)
                    + " ("
                    + m.role()
                    + ") within an answer; use a template that marks answers with"
                    + " {% generation %}");
          }
        }
      }
    }
  }

  private static Optional<Rendering> withOtherAnswers(ChatTemplate template, Conversation c) {
    List<Message> others =
        c.messages().stream().map(m -> isAnswer(m) ? withOtherAnswer(m) : m).toList();
    try {
      return Optional.of(template.render(others, c.tools(), false));
    } catch (TemplateException e) {
      return Optional.empty();
    }
  }

  private static Message withOtherAnswer(Message answer) {
    Message other = answer.with("content", MARKER);
    for (String field : Formats.REASONING) {
      if (!answer.text(field).isEmpty()) {
        other = other.with(field, MARKER);
      }
    }
    return other;
  }

  /** What the template writes to open an answer; "" if it does not say. */
  private static String opening(ChatTemplate template, Conversation c) {
    int first = 0;
    while (first < c.messages().size() && !isAnswer(c.messages().get(first))) {
      first++;
    }
    List<Message> question = c.messages().subList(0, first);
    try {
      Rendering open = template.render(question, c.tools(), true);
      Rendering closed = template.render(question, c.tools(), false);
      int end = open.items().stream().flatMap(List::stream).mapToInt(Span::to).max().orElse(-1);
      int same = commonPrefix(open.text(), closed.text());
      return open.text().substring(end < 0 ? same : Math.min(end, open.text().length()));
    } catch (TemplateException e) {
      return "";
    }
  }

  private static int afterBlanks(String text, int from) {
    return text.length() - text.substring(from).stripLeading().length();
  }

  private static int commonPrefix(String a, String b) {
    int n = 0;
    while (n < a.length() && n < b.length() && a.charAt(n) == b.charAt(n)) {
      n++;
    }
    return n;
  }

  /** What of a message the template leaves out; what would teach something false is refused. */
  private static List<String> lost(Message m, int index, String turn, String text)
      throws FormatException {
    List<String> lost = new ArrayList<>();
    String content = m.content();
    if (!isAnswer(m)) {
      if (!text.contains(content.strip())) {
        lost.add("the text of messages with role " + m.role());
      }
      return lost;
    }
    for (Object call : calls(m)) {
      if (!turn.contains(name(call))) {
        throw new FormatException(
            "the chat template does not write tool_calls (message "
                + (index + 1)
                + "), so the model would learn to end its turn instead of calling");
      }
    }
    int thinking = content.lastIndexOf(THINKING_ENDS);
    String thought =
        thinking < 0 ? "" : content.substring(0, thinking).replace("<think>", "").strip();
    String answer = content.substring(thinking < 0 ? 0 : thinking + THINKING_ENDS.length()).strip();
    if (!turn.contains(answer)) {
      if (calls(m).isEmpty()) {
        throw new FormatException(
            "the chat template leaves out or changes message " + (index + 1) + ", an answer");
      }
      lost.add("the text beside tool calls");
    }
    if (Stream.concat(Stream.of(thought), Formats.REASONING.stream().map(m::text))
        .anyMatch(reasoning -> !turn.contains(reasoning.strip()))) {
      lost.add("the reasoning");
    }
    return lost;
  }

  /** The function's name in a tool or a call, with or without OpenAI's envelope. */
  private static String name(Object toolOrCall) {
    Object inner =
        toolOrCall instanceof Map<?, ?> m && m.get("function") instanceof Map<?, ?> f
            ? f
            : toolOrCall;
    return inner instanceof Map<?, ?> m && m.get("name") instanceof String s ? s : "";
  }

  private static boolean isAnswer(Message m) {
    return m.role().equals("assistant");
  }
}

package org.loranative.data.llm;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.loranative.text.ChatTemplate;
import org.loranative.text.ChatTemplate.Message;

/**
 * Finds the assistant's contents in a rendered conversation. Templates may trim contents and write
 * anything around them, so the conversation is rendered a second time with a marker for each
 * answer: what stands between the markers is the template's own text, and what is left are the
 * answers.
 */
final class AnswerSpans {
  /** Chars [from, to) of the rendered text. */
  record Span(int from, int to) {}

  private AnswerSpans() {}

  /** The spans of all answers in order; empty if they cannot be told from the template's text. */
  static Optional<List<Span>> find(ChatTemplate template, List<Message> messages, String rendered) {
    List<Message> marked = new ArrayList<>();
    List<String> answers = new ArrayList<>();
    for (Message m : messages) {
      if (m.role().equals("assistant")) {
        marked.add(new Message(m.role(), marker(answers.size())));
        answers.add(m.content());
      } else {
        marked.add(m);
      }
    }
    return byMarkers(template.render(marked, false), answers, rendered)
        .or(() -> bySearch(messages, rendered));
  }

  private static String marker(int i) {
    return "\uE0A0" + i + "\uE0A1";
  }

  private static Optional<List<Span>> byMarkers(
      String marked, List<String> answers, String rendered) {
    List<Span> spans = new ArrayList<>();
    int inMarked = 0;
    int at = 0;
    for (int i = 0; i < answers.size(); i++) {
      int found = marked.indexOf(marker(i), inMarked);
      if (found < 0) {
        return Optional.empty();
      }
      String before = marked.substring(inMarked, found);
      inMarked = found + marker(i).length();
      if (!rendered.startsWith(before, at)) {
        return Optional.empty();
      }
      at += before.length();
      int next = i + 1 < answers.size() ? marked.indexOf(marker(i + 1), inMarked) : -1;
      String after = marked.substring(inMarked, next < 0 ? marked.length() : next);
      String answer = answers.get(i);
      int start = at;
      Optional<String> written =
          List.of(answer, answer.strip(), answer.stripLeading(), answer.stripTrailing()).stream()
              .filter(w -> rendered.startsWith(w + after, start))
              .findFirst();
      if (written.isEmpty()) {
        return Optional.empty();
      }
      at += written.get().length();
      spans.add(new Span(start, at));
    }
    boolean restAgrees = rendered.substring(at).equals(marked.substring(inMarked));
    return restAgrees ? Optional.of(spans) : Optional.empty();
  }

  /**
   * For templates that look into an answer (Qwen3 cuts off its thinking): every message in order,
   * each searched behind the one before; of an answer at least what follows its thinking.
   */
  private static Optional<List<Span>> bySearch(List<Message> messages, String rendered) {
    List<Span> spans = new ArrayList<>();
    int at = 0;
    for (Message m : messages) {
      String content = m.content().strip();
      int thinking = content.lastIndexOf("</think>");
      List<String> forms = new ArrayList<>(List.of(content));
      if (thinking >= 0 && m.role().equals("assistant")) {
        forms.add(content.substring(thinking + "</think>".length()).strip());
      }
      int from = -1;
      for (String form : forms) {
        from = rendered.indexOf(form, at);
        if (from >= 0) {
          at = from + form.length();
          break;
        }
      }
      if (from < 0) {
        return Optional.empty();
      }
      if (m.role().equals("assistant")) {
        spans.add(new Span(from, at));
      }
    }
    return Optional.of(spans);
  }
}

package org.loranative.train.evaluation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.loranative.data.Source;
import org.loranative.data.llm.Example;
import org.loranative.text.ChatTemplate.Message;
import org.loranative.text.Tokenizer;

/**
 * A text that a model is to continue.
 *
 * @param bare whether the tokenizer adds what it puts around texts, which chat templates write
 *     themselves
 */
record Prompt(String text, boolean bare) {
  /** Messages up to the answer's beginning; without a chat template the last one's text alone. */
  static Prompt of(Tokenizer tokenizer, List<Message> messages, List<Object> tools) {
    return tokenizer
        .chatTemplate()
        .map(t -> new Prompt(t.render(messages, tools, true).text(), false))
        .orElseGet(() -> new Prompt(messages.get(messages.size() - 1).content(), true));
  }

  /** A question in the chat template. */
  static Prompt of(Tokenizer tokenizer, String question, Optional<String> system) {
    List<Message> messages = new ArrayList<>();
    system.ifPresent(s -> messages.add(new Message("system", s)));
    messages.add(new Message("user", question));
    return of(tokenizer, messages, List.of());
  }

  int[] ids(Tokenizer tokenizer) {
    return tokenizer.encode(text, bare).ids();
  }

  /**
   * With a continuation, of which every token is labelled: tokens of the whole, as models see it.
   */
  Example with(Tokenizer tokenizer, String continuation, Source source) {
    Tokenizer.Encoded whole = tokenizer.encode(text + continuation, bare);
    int[] labels = new int[whole.ids().length];
    Arrays.fill(labels, -1);
    for (int i = 0; i + 1 < labels.length; i++) {
      if (whole.to()[i + 1] > text.length()) {
        labels[i] = whole.ids()[i + 1];
      }
    }
    return new Example(whole.ids(), labels, source);
  }
}

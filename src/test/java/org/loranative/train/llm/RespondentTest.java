package org.loranative.train.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.UserException;
import org.loranative.export.AdapterSource;
import org.loranative.model.llm.Sampling;
import org.loranative.testing.TinyAdapter;
import org.loranative.testing.TinyModel;
import org.loranative.text.ChatTemplate.Message;
import org.loranative.train.machine.Machine;

class RespondentTest {
  private static final Respondent.Manner GREEDY =
      new Respondent.Manner(12, Sampling.greedy(), List.of());
  private static final List<String> QUESTIONS = List.of("what?", "and then?", "why?");

  @TempDir private Path folder;

  private static Answers open(Path base, List<AdapterSource> sources) {
    return new Answers(base, sources, Machine.of("cpu", "f32"));
  }

  /** A conversation's answers, of a model that is asked anew each time, or goes on. */
  private static List<String> converse(Answers answers, boolean adapted, boolean anew) {
    List<Message> history = new ArrayList<>();
    List<String> texts = new ArrayList<>();
    Respondent respondent = answers.respondent(600, adapted);
    try {
      for (String question : QUESTIONS) {
        history.add(new Message("user", question));
        String text = respondent.reply(respondent.prompt(history), GREEDY, piece -> true).text();
        history.add(new Message("assistant", text));
        texts.add(text);
        if (anew) {
          respondent.close();
          respondent = answers.respondent(600, adapted);
        }
      }
    } finally {
      respondent.close();
    }
    return texts;
  }

  /**
   * Without its adapters the model is its base, whatever kind they are; and what was read stays.
   */
  @ParameterizedTest
  @ValueSource(strings = {"lora", "dora", "loha", "lokr"})
  void answersWithTheAdaptersAndWithout(String method) throws IOException {
    Path base = TinyModel.write(folder.resolve("base"));
    Path adapter = TinyAdapter.train(base, folder.resolve("a"), "lora_method=" + method);
    List<String> plain;
    try (Answers alone = open(base, List.of())) {
      plain = converse(alone, true, false);
    }
    try (Answers answers = open(base, List.of(new AdapterSource(adapter, 1)))) {
      List<String> adapted = converse(answers, true, false);
      assertThat(adapted).isNotEqualTo(plain).isEqualTo(converse(answers, true, true));
      assertThat(converse(answers, false, false)).isEqualTo(plain);
      // Both at once, in turns.
      try (Respondent one = answers.respondent(200, true);
          Respondent other = answers.respondent(200, false)) {
        List<Message> asked = List.of(new Message("user", QUESTIONS.get(0)));
        for (int i = 0; i < 2; i++) {
          assertThat(one.reply(one.prompt(asked), GREEDY, t -> true).text())
              .isEqualTo(adapted.get(0));
          assertThat(other.reply(other.prompt(asked), GREEDY, t -> true).text())
              .isEqualTo(plain.get(0));
        }
      }
    }
  }

  @Test
  void saysWhatEndedAnAnswer() throws IOException {
    Path base = TinyModel.write(folder.resolve("base"));
    try (Answers answers = open(base, List.of());
        Respondent respondent = answers.respondent(128, true)) {
      int[] prompt = respondent.prompt(List.of(new Message("user", "what?")));
      Respondent.Reply whole = respondent.reply(prompt, GREEDY, t -> true);
      assertThat(whole.end()).isEqualTo(Respondent.End.LENGTH);
      assertThat(whole.tokens()).isEqualTo(12);
      assertThat(whole.promptTokens()).isEqualTo(prompt.length);

      String stop = whole.text().substring(4, 6);
      Respondent.Reply stopped =
          respondent.reply(
              prompt, new Respondent.Manner(12, Sampling.greedy(), List.of(stop)), t -> true);
      assertThat(stopped.end()).isEqualTo(Respondent.End.STOP);
      assertThat(stopped.text()).isEqualTo(whole.text().substring(0, whole.text().indexOf(stop)));

      assertThat(respondent.reply(prompt, GREEDY, t -> false).end())
          .isEqualTo(Respondent.End.CANCELLED);
      assertThatThrownBy(
              () ->
                  respondent.reply(
                      prompt, new Respondent.Manner(128, Sampling.greedy(), List.of()), t -> true))
          .isInstanceOf(UserException.class)
          .hasMessageContaining("more than the context of 128");
    }
  }
}

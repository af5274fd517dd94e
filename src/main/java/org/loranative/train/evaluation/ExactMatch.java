package org.loranative.train.evaluation;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import org.loranative.Counted;
import org.loranative.data.Records;
import org.loranative.data.Source;
import org.loranative.data.llm.FormatException;
import org.loranative.data.llm.Formats;
import org.loranative.data.llm.Formats.Conversation;
import org.loranative.model.llm.Sampling;
import org.loranative.text.ChatTemplate.Message;
import org.loranative.text.Tokenizer;
import org.loranative.text.jinja.TemplateException;
import org.loranative.track.Phase;
import org.loranative.train.llm.Answers;
import org.loranative.train.llm.Respondent;

/**
 * Whether a model's likeliest answer to a record's prompt is the record's own, but for white space.
 * Of a conversation that is the last answer to be learnt.
 *
 * @param maxTokens of an answer
 */
public record ExactMatch(HeldOut data, int maxTokens, boolean ignoreCase) implements Measure {
  public static final String NAME = "exact_match";

  private static final Pattern SPACE = Pattern.compile("\\s+", Pattern.UNICODE_CHARACTER_CLASS);

  @Override
  public String name() {
    return NAME;
  }

  /** A prompt, as tokens and for people, and what is to follow. */
  private record Question(Source source, int[] prompt, String reference) {}

  @Override
  public Exam<Score> exam(Tokenizer tokenizer, OptionalInt context) {
    int most = data.within(context);
    List<Question> questions = new ArrayList<>();
    List<Records.Skipped> skipped = new ArrayList<>(data.records().skipped());
    boolean conversations = false;
    for (Records.Raw raw : data.records().records()) {
      try {
        Formats.Content content = Formats.parse(raw.fields(), data.format());
        conversations |= content instanceof Conversation;
        questions.add(question(tokenizer, content, raw.source(), most));
      } catch (FormatException | TemplateException | UnusableException e) {
        skipped.add(new Records.Skipped(raw.source(), e.getMessage()));
      }
    }
    if (questions.isEmpty()) {
      throw data.nothing(NAME, skipped);
    }
    if (!conversations) {
      data.requireNoSystem();
    }
    return new Asked(questions, skipped);
  }

  /** A record that asks nothing. */
  private static final class UnusableException extends Exception {
    UnusableException(String message) {
      super(message);
    }
  }

  private Question question(Tokenizer tokenizer, Formats.Content content, Source source, int most)
      throws UnusableException {
    Prompt prompt;
    String reference;
    if (content instanceof Conversation c) {
      Conversation whole = data.system().map(c::withSystem).orElse(c);
      int answer = lastAnswer(whole);
      prompt = Prompt.of(tokenizer, whole.messages().subList(0, answer), whole.tools());
      reference = whole.messages().get(answer).content();
    } else if (content instanceof Formats.Completion c) {
      prompt = new Prompt(c.prompt(), true);
      reference = c.completion();
    } else {
      throw new UnusableException("text alone has no answer to compare with");
    }
    int[] ids = prompt.ids(tokenizer);
    if (ids.length + maxTokens > most) {
      throw new UnusableException(
          HeldOut.tooLong("its prompt with --max-tokens", ids.length + maxTokens, most));
    }
    return new Question(source, ids, reference);
  }

  private static int lastAnswer(Conversation c) throws UnusableException {
    for (int i = c.messages().size() - 1; i > 0; i--) {
      Message m = c.messages().get(i);
      if (m.role().equals("assistant") && !c.silent().contains(i) && !m.content().isBlank()) {
        return i;
      }
    }
    throw new UnusableException("it has no answer in words behind a prompt");
  }

  private String normalized(String text) {
    String plain = SPACE.matcher(text).replaceAll(" ").strip();
    return ignoreCase ? plain.toLowerCase(Locale.ROOT) : plain;
  }

  /** A model's answer. */
  record Score(String answer, boolean right) {}

  /** Prompts and what is to follow. */
  private final class Asked implements Exam<Score> {
    private final List<Question> questions;
    private final List<Records.Skipped> skipped;

    Asked(List<Question> questions, List<Records.Skipped> skipped) {
      this.questions = questions;
      this.skipped = skipped;
    }

    @Override
    public List<Map<String, Object>> records() {
      List<Map<String, Object>> all = new ArrayList<>();
      for (Question q : questions) {
        Map<String, Object> record = new LinkedHashMap<>();
        record.put("record", q.source().toString());
        record.put("reference", q.reference());
        all.add(record);
      }
      return all;
    }

    @Override
    public String size() {
      return Counted.of(questions.size(), "record");
    }

    @Override
    public List<String> notes() {
      return HeldOut.leftOut(skipped);
    }

    @Override
    public List<Score> scores(Answers model, boolean adapted) {
      int longest = questions.stream().mapToInt(q -> q.prompt().length).max().orElse(1);
      Respondent.Manner manner = new Respondent.Manner(maxTokens, Sampling.greedy(), List.of());
      List<Score> scores = new ArrayList<>();
      Phase phase =
          new Phase("records answered" + (adapted ? " with the adapter" : ""), questions.size());
      try (Respondent respondent = model.respondent(longest + maxTokens, adapted)) {
        for (Question q : questions) {
          phase.next();
          String answer = respondent.reply(q.prompt(), manner, text -> true).text();
          scores.add(new Score(answer, normalized(answer).equals(normalized(q.reference()))));
        }
      }
      phase.end();
      return scores;
    }

    @Override
    public Outcome outcome(List<Score> base, Optional<List<Score>> adapted) {
      return new Accuracy("accuracy", "exact match").outcome(right(base), adapted.map(this::right));
    }

    private boolean[] right(List<Score> scores) {
      boolean[] right = new boolean[scores.size()];
      for (int i = 0; i < right.length; i++) {
        right[i] = scores.get(i).right();
      }
      return right;
    }
  }
}

package org.loranative.train.evaluation;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.loranative.Counted;
import org.loranative.UserException;
import org.loranative.data.Records;
import org.loranative.data.llm.Example;
import org.loranative.text.Tokenizer;
import org.loranative.text.jinja.TemplateException;
import org.loranative.train.llm.Answers;

/**
 * Which of a question's choices a model finds likeliest behind it, as lm-evaluation-harness
 * measures it: by log p of the choice ({@code acc}), and by the same divided by its characters
 * ({@code acc_norm}).
 */
public final class Choice implements Measure {
  public static final String NAME = "choice";

  private final HeldOut data;
  private final boolean raw;
  private final List<ChoiceRecord> records;

  /**
   * @param raw without the chat template
   */
  public Choice(HeldOut data, boolean raw) {
    this.data = data;
    this.raw = raw;
    if (!data.records().skipped().isEmpty()) {
      throw new UserException(data.records().skipped().get(0) + ".");
    }
    records = data.records().records().stream().map(ChoiceRecord::of).toList();
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Exam<Score> exam(Tokenizer tokenizer, OptionalInt context) {
    int most = data.within(context);
    boolean bare = raw || tokenizer.chatTemplate().isEmpty();
    if (bare) {
      data.requireNoSystem();
    }
    List<ChoiceRecord> asked = new ArrayList<>();
    List<Example> examples = new ArrayList<>();
    List<Records.Skipped> skipped = new ArrayList<>();
    for (ChoiceRecord record : records) {
      List<Example> these = examples(tokenizer, record, bare);
      int longest = these.stream().mapToInt(Example::length).max().orElseThrow();
      if (longest > most) {
        skipped.add(new Records.Skipped(record.source(), HeldOut.tooLong("it", longest, most)));
      } else {
        asked.add(record);
        examples.addAll(these);
      }
    }
    if (asked.isEmpty()) {
      throw data.nothing(NAME, skipped);
    }
    return new Asked(asked, examples, HeldOut.leftOut(skipped));
  }

  private List<Example> examples(Tokenizer tokenizer, ChoiceRecord record, boolean bare) {
    Prompt prompt;
    try {
      prompt =
          bare
              ? new Prompt(record.question(), true)
              : Prompt.of(tokenizer, record.question(), data.system());
    } catch (TemplateException e) {
      throw new UserException(
          record.source() + ": the model's chat template refuses it: " + e.getMessage() + ".", e);
    }
    boolean apart =
        !bare || Character.isWhitespace(prompt.text().charAt(prompt.text().length() - 1));
    return record.choices().stream()
        .map(c -> prompt.with(tokenizer, apart ? c : " " + c, record.source()))
        .toList();
  }

  /**
   * What a model made of a question.
   *
   * @param logLikelihoods of each choice, nats
   * @param chosen index of the likeliest
   * @param chosenNorm likewise for each character
   */
  record Score(
      double[] logLikelihoods, int chosen, int chosenNorm, boolean right, boolean rightNorm) {
    static Score of(ChoiceRecord record, double[] logLikelihoods) {
      double[] each = logLikelihoods.clone();
      for (int i = 0; i < each.length; i++) {
        String choice = record.choices().get(i);
        each[i] /= choice.codePointCount(0, choice.length());
      }
      int chosen = largest(logLikelihoods);
      int norm = largest(each);
      return new Score(
          logLikelihoods, chosen, norm, chosen == record.answer(), norm == record.answer());
    }

    private static int largest(double[] x) {
      int largest = 0;
      for (int i = 1; i < x.length; i++) {
        largest = x[i] > x[largest] ? i : largest;
      }
      return largest;
    }
  }

  /**
   * Questions.
   *
   * @param examples each question behind which a choice stands, the choices one after the other
   */
  private record Asked(List<ChoiceRecord> asked, List<Example> examples, List<String> notes)
      implements Exam<Score> {
    @Override
    public List<Map<String, Object>> records() {
      List<Map<String, Object>> all = new ArrayList<>();
      for (ChoiceRecord r : asked) {
        Map<String, Object> record = new LinkedHashMap<>();
        record.put("record", r.source().toString());
        record.put("question", r.question());
        record.put("choices", r.choices());
        record.put("answer", r.answer());
        all.add(record);
      }
      return all;
    }

    @Override
    public String size() {
      return Counted.of(asked.size(), "question");
    }

    @Override
    public List<Score> scores(Answers model, boolean adapted) {
      double[] losses = model.losses(examples, adapted);
      List<Score> scores = new ArrayList<>();
      int at = 0;
      for (ChoiceRecord r : asked) {
        double[] logLikelihoods = new double[r.choices().size()];
        for (int i = 0; i < logLikelihoods.length; i++) {
          logLikelihoods[i] = -losses[at++];
        }
        scores.add(Score.of(r, logLikelihoods));
      }
      return scores;
    }

    @Override
    public Outcome outcome(List<Score> base, Optional<List<Score>> adapted) {
      Outcome acc = accuracy("acc", "acc", Score::right, base, adapted);
      Outcome norm = accuracy("acc_norm", "acc_norm", Score::rightNorm, base, adapted);
      return new Outcome(
          Stream.of(acc, norm).flatMap(o -> o.figures().stream()).toList(),
          Stream.of(acc, norm).flatMap(o -> o.sentences().stream()).toList());
    }

    private static Outcome accuracy(
        String key,
        String name,
        Predicate<Score> isRight,
        List<Score> base,
        Optional<List<Score>> adapted) {
      return new Accuracy(key, name)
          .outcome(right(base, isRight), adapted.map(a -> right(a, isRight)));
    }

    private static boolean[] right(List<Score> scores, Predicate<Score> isRight) {
      boolean[] right = new boolean[scores.size()];
      for (int i = 0; i < right.length; i++) {
        right[i] = isRight.test(scores.get(i));
      }
      return right;
    }
  }
}

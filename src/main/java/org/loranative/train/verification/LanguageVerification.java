package org.loranative.train.verification;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.loranative.UserException;
import org.loranative.train.llm.Answers;

/**
 * Two language models on the same text: what each predicts behind every token, and what each
 * answers. The first one's likeliest answers are part of the text, since that is where it matters
 * what was trained. One model is in memory at a time.
 *
 * @param answerTokens most tokens of an answer
 */
public record LanguageVerification(
    List<Answers.Question> questions, String text, int answerTokens) {
  /** Asked where the user asks nothing. */
  public static final List<String> QUESTIONS =
      List.of(
          "What is the capital of France?",
          "Write a short poem about the sea.",
          "How do I boil an egg?");

  /** Tokens that are read at once. */
  private static final int WINDOW = 256;

  /** Tokens of the text that are read at most; logits of all are kept. */
  private static final int MOST = 1024;

  /**
   * A question's two answers.
   *
   * @param same tokens from the beginning that are equal
   * @param first the first model's answer
   */
  public record Answered(String question, int same, int tokens, String first, String second) {
    public boolean isSame() {
      return same == tokens;
    }
  }

  /** What came out. */
  public record Result(Difference difference, List<Answered> answers) {
    /** In lines for people. */
    public String describe() {
      StringBuilder lines = new StringBuilder();
      lines.append(
          String.format(
              "Logits at %d tokens: largest difference %.3g, mean %.3g; KL %.3g nats; the same"
                  + " token is likeliest at %.1f %%.%n",
              difference.positions(),
              difference.max(),
              difference.mean(),
              difference.kl(),
              100 * difference.sameTop()));
      for (Answered a : answers) {
        lines.append(
            a.isSame()
                ? String.format("\"%s\": the same %d tokens.%n", a.question(), a.tokens())
                : String.format(
                    "\"%s\": the same for %d of %d tokens.%n  trained: %s%n  other:   %s%n",
                    a.question(), a.same(), a.tokens(), a.first().strip(), a.second().strip()));
      }
      return lines.toString();
    }
  }

  /** What the first model makes of the text. */
  private record Reference(
      List<int[]> windows, List<float[][]> logits, List<int[]> prompts, List<int[]> answers) {}

  /** Compares two models, each opened for its part. */
  public Result compare(Supplier<Answers> first, Supplier<Answers> second) {
    Reference reference =
        new Reference(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    List<String> texts = new ArrayList<>();
    int vocabulary;
    try (Answers model = first.get()) {
      for (Answers.Question question : questions) {
        int[] prompt = model.prompt(question);
        int[] answer = model.likeliest(prompt, answerTokens);
        reference.prompts().add(prompt);
        reference.answers().add(answer);
        texts.add(model.tokenizer().decode(answer));
        reference.windows().add(joined(prompt, answer));
      }
      int[] ids = text.isEmpty() ? new int[0] : model.tokenizer().encode(text, true).ids();
      for (int at = 0; at < Math.min(ids.length, MOST); at += WINDOW) {
        int end = Math.min(ids.length, Math.min(at + WINDOW, MOST));
        reference.windows().add(Arrays.copyOfRange(ids, at, end));
      }
      reference.windows().forEach(w -> reference.logits().add(model.logits(w)));
      vocabulary = reference.logits().get(0)[0].length;
    }
    try (Answers model = second.get()) {
      Difference difference = Difference.NONE;
      for (int w = 0; w < reference.windows().size(); w++) {
        float[][] logits = model.logits(reference.windows().get(w));
        if (logits[0].length != vocabulary) {
          throw new UserException(
              String.format(
                  "The two models have vocabularies of %d and %d tokens; they are different models.",
                  vocabulary, logits[0].length));
        }
        difference = difference.with(Difference.of(reference.logits().get(w), logits));
        reference.logits().set(w, new float[0][]); // no longer needed
      }
      List<Answered> answers = new ArrayList<>();
      for (int q = 0; q < questions.size(); q++) {
        int[] expected = reference.answers().get(q);
        int[] answer = model.likeliest(reference.prompts().get(q), answerTokens);
        int apart = Arrays.mismatch(expected, answer);
        answers.add(
            new Answered(
                questions.get(q).prompt(),
                apart < 0 ? expected.length : apart,
                expected.length,
                texts.get(q),
                model.tokenizer().decode(answer)));
      }
      return new Result(difference, answers);
    }
  }

  /**
   * Compares a model with logits that another program gave for the same tokens.
   *
   * @param logits [T, V]
   */
  public static Result compare(Supplier<Answers> first, int[] ids, float[][] logits) {
    try (Answers model = first.get()) {
      float[][] own = model.logits(ids);
      if (own[0].length != logits[0].length) {
        throw new UserException(
            String.format(
                "The logits are of %d tokens, but the model's vocabulary has %d.",
                logits[0].length, own[0].length));
      }
      return new Result(Difference.of(own, logits), List.of());
    }
  }

  /** Compares a model's likeliest answer with another program's to the first question. */
  public Result compare(Supplier<Answers> first, String answer) {
    try (Answers model = first.get()) {
      int[] own = model.likeliest(model.prompt(questions.get(0)), answerTokens);
      int[] other = model.tokenizer().encode(answer.strip(), false).ids();
      int apart = Arrays.mismatch(own, Arrays.copyOf(other, Math.min(other.length, own.length)));
      Answered answered =
          new Answered(
              questions.get(0).prompt(),
              apart < 0 ? own.length : apart,
              own.length,
              model.tokenizer().decode(own),
              answer);
      return new Result(Difference.NONE, List.of(answered));
    }
  }

  private static int[] joined(int[] a, int[] b) {
    int[] all = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, all, a.length, b.length);
    return all;
  }
}

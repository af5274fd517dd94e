package org.loranative.train.llm;

import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.loranative.UserException;
import org.loranative.model.llm.Generator;
import org.loranative.model.llm.Sampling;
import org.loranative.text.ChatTemplate.Message;
import org.loranative.text.Tokenizer;
import org.loranative.text.jinja.TemplateException;

/**
 * A model that answers one prompt after another. What a prompt has in common with the conversation
 * before is not read again.
 */
public final class Respondent implements AutoCloseable {
  private final Tokenizer tokenizer;
  private final Generator generator;
  private final int context;

  /**
   * @param generator of {@code context} tokens; closed with this
   */
  Respondent(Tokenizer tokenizer, Generator generator, int context) {
    this.tokenizer = tokenizer;
    this.generator = generator;
    this.context = context;
  }

  /**
   * How an answer is made.
   *
   * @param maxTokens most new tokens
   * @param stops strings that end it, beside the model's own end of a turn
   */
  public record Manner(int maxTokens, Sampling sampling, List<String> stops) {
    public Manner {
      stops = List.copyOf(stops);
      if (maxTokens < 1) {
        throw new UserException("max_tokens is " + maxTokens + ", but must be at least 1.");
      }
      if (stops.contains("")) {
        throw new UserException("A stop string is empty; it would end every answer at once.");
      }
    }
  }

  /** What ended an answer. */
  public enum End {
    /** The model, or a stop string. */
    STOP,
    /** Its length. */
    LENGTH,
    /** Whoever asked. */
    CANCELLED
  }

  /**
   * An answer.
   *
   * @param tokens how many it has
   */
  public record Reply(String text, End end, int promptTokens, int tokens) {}

  /** Tokens of a conversation, by the model's chat template, up to the assistant's turn. */
  public int[] prompt(List<Message> messages) {
    return prompt(tokenizer, messages);
  }

  /** Tokens of a text to be continued as it is. */
  public int[] prompt(String text) {
    return tokenizer.encode(text, true).ids();
  }

  static int[] prompt(Tokenizer tokenizer, List<Message> messages) {
    try {
      return tokenizer
          .chatTemplate()
          .map(t -> tokenizer.encode(t.render(messages, true), false).ids())
          .orElseThrow(
              () ->
                  new UserException(
                      "The model has no chat template, so it holds no conversation; it continues a"
                          + " text."));
    } catch (TemplateException e) {
      throw new UserException(
          "The model's chat template refuses the conversation: "
              + e.getMessage()
              + ". (generate --raw does without it.)",
          e);
    }
  }

  /** Whether the model has a chat template. */
  public boolean chats() {
    return tokenizer.chatTemplate().isPresent();
  }

  /** Tokens of prompt and answer together, at most. */
  public int context() {
    return context;
  }

  /** Why a prompt and an answer of this length cannot be, if so. */
  public Optional<String> tooLong(int[] prompt, int maxTokens) {
    return prompt.length + maxTokens <= context
        ? Optional.empty()
        : Optional.of(
            String.format(
                "The prompt has %d tokens, which with an answer of %d are more than the context of"
                    + " %d.",
                prompt.length, maxTokens, context));
  }

  /**
   * Answers.
   *
   * @param prompt tokens
   * @param onText receives the answer's text piece by piece; false ends it
   * @throws UserException if the prompt is empty or both do not fit the context
   */
  public Reply reply(int[] prompt, Manner manner, Predicate<String> onText) {
    if (prompt.length == 0) {
      throw new UserException("The prompt is empty; give some text.");
    }
    tooLong(prompt, manner.maxTokens())
        .ifPresent(
            why -> {
              throw new UserException(why);
            });
    AnswerText text = new AnswerText(tokenizer::decode, manner.stops(), onText);
    int[] tokens =
        generator.generate(
            prompt, manner.maxTokens(), tokenizer.stop(), manner.sampling(), text::take);
    String whole = text.end();
    End end =
        text.isRefused()
            ? End.CANCELLED
            : !text.isStopped() && tokens.length == manner.maxTokens() ? End.LENGTH : End.STOP;
    return new Reply(whole, end, prompt.length, tokens.length);
  }

  @Override
  public void close() {
    generator.close();
  }
}

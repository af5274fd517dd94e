package org.loranative.cli;

import java.util.Optional;
import org.loranative.UserException;
import org.loranative.train.llm.Answers;
import org.loranative.train.llm.Respondent;

/** A model with its adapters, and the base alone once somebody asks for it. */
final class Respondents implements AutoCloseable {
  /** Tokens of a conversation, where neither user nor model says less. */
  private static final int CONTEXT = 4096;

  private final Answers answers;
  private final int context;
  private final Respondent adapted;
  private Optional<Respondent> base = Optional.empty();

  Respondents(Answers answers, int context) {
    this.answers = answers;
    this.context = context;
    this.adapted = answers.respondent(context, true);
  }

  /**
   * Tokens of a conversation.
   *
   * @param wanted by the user
   * @throws UserException if the model does not take as many
   */
  static int context(Answers answers, Optional<Integer> wanted) {
    int most = answers.context().orElse(Integer.MAX_VALUE);
    int tokens = wanted.orElse(Math.min(most, CONTEXT));
    if (tokens < 2 || tokens > most) {
      throw new UserException(
          String.format("--context is %d, but this model takes 2 to %d tokens.", tokens, most));
    }
    return tokens;
  }

  Respondent adapted() {
    return adapted;
  }

  Respondent base() {
    Respondent opened = base.orElseGet(() -> answers.respondent(context, false));
    base = Optional.of(opened);
    return opened;
  }

  @Override
  public void close() {
    adapted.close();
    base.ifPresent(Respondent::close);
  }
}

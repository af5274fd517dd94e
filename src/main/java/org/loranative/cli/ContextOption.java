package org.loranative.cli;

import java.util.Optional;
import org.loranative.UserException;
import org.loranative.train.llm.Answers;
import picocli.CommandLine.Option;

/** How long a conversation may be. */
final class ContextOption {
  /** Tokens, where neither user nor model says less. */
  private static final int USUAL = 4096;

  @Option(
      names = "--context",
      paramLabel = "N",
      description =
          "Tokens of prompt and answer together, at most (default: 4096, or what the model takes).")
  private Optional<Integer> context = Optional.empty();

  boolean isGiven() {
    return context.isPresent();
  }

  /**
   * Tokens of a conversation.
   *
   * @throws UserException if the model does not take as many
   */
  int tokens(Answers answers) {
    int most = answers.context().orElse(Integer.MAX_VALUE);
    int tokens = context.orElse(Math.min(most, USUAL));
    if (tokens < 2 || tokens > most) {
      throw new UserException(
          String.format("--context is %d, but this model takes 2 to %d tokens.", tokens, most));
    }
    return tokens;
  }
}

package org.loranative.cli;

import java.util.List;
import java.util.Optional;
import org.loranative.UserException;
import org.loranative.model.llm.Sampling;
import org.loranative.serve.Usual;
import org.loranative.train.llm.Respondent;
import picocli.CommandLine.Option;

/** How answers are made. */
final class AnswerOptions {
  private static final int MAX_TOKENS = 256;
  private static final long SEED = 42;

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      description = "Most new tokens (default: 256; of serve, what the context has room for).")
  private Optional<Integer> maxTokens = Optional.empty();

  @Option(
      names = "--temperature",
      paramLabel = "X",
      defaultValue = "0",
      description = "0 takes the likeliest token (default); higher is freer.")
  private double temperature;

  @Option(
      names = "--top-k",
      paramLabel = "N",
      defaultValue = "0",
      description = "Draw only from this many of the likeliest tokens (default 0: all).")
  private int topK;

  @Option(
      names = "--top-p",
      paramLabel = "X",
      defaultValue = "1",
      description = "Draw only from the likeliest tokens that make up this share (default 1).")
  private double topP;

  @Option(
      names = "--min-p",
      paramLabel = "X",
      defaultValue = "0",
      description =
          "Draw only from tokens that are at least this share as likely as the likeliest (default"
              + " 0).")
  private double minP;

  @Option(
      names = "--repetition-penalty",
      paramLabel = "X",
      defaultValue = "1",
      description =
          "Above 1 makes tokens less likely that prompt or answer have already (default 1).")
  private double repetitionPenalty;

  @Option(
      names = "--stop",
      paramLabel = "TEXT",
      description = "Ends an answer before this text, too; several may be given.")
  private List<String> stops = List.of();

  @Option(names = "--seed", paramLabel = "N", description = "Seed of the draw (default 42).")
  private Optional<Long> seed = Optional.empty();

  /**
   * How an answer is made.
   *
   * @throws UserException if something is said of a draw where none is made
   */
  Respondent.Manner manner() {
    if (temperature == 0 && (topK != 0 || topP != 1 || minP != 0 || seed.isPresent())) {
      throw new UserException(
          "--top-k, --top-p, --min-p and --seed are about drawing tokens; give a --temperature"
              + " above 0, too (without one the likeliest token is taken).");
    }
    return checked();
  }

  private Respondent.Manner checked() {
    return new Respondent.Manner(maxTokens.orElse(MAX_TOKENS), sampling(), stops);
  }

  /** Of a server, whose requests say the rest. */
  Usual usual() {
    Respondent.Manner manner = checked();
    return new Usual(maxTokens, manner.sampling(), manner.stops());
  }

  private Sampling sampling() {
    return new Sampling(
        temperature,
        topK,
        topP,
        minP,
        new Sampling.Penalties(repetitionPenalty, 0, 0),
        seed.orElse(SEED));
  }
}

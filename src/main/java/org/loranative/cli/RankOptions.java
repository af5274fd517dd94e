package org.loranative.cli;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.loranative.UserException;
import org.loranative.lora.RankRule;
import picocli.CommandLine.Option;

/** How many ranks are kept of a layer. */
final class RankOptions {
  /** Most of a layer where a rule says how many, and --rank nothing. */
  static final int MOST = 128;

  @Option(
      names = "--rank",
      paramLabel = "N",
      description = "Of every layer; with a rule below, the most of any.")
  private Optional<Integer> rank = Optional.empty();

  @Option(
      names = "--sv-ratio",
      paramLabel = "X",
      description = "Keep singular values larger than the layer's largest divided by this.")
  private Optional<Double> ratio = Optional.empty();

  @Option(
      names = "--sv-cumulative",
      paramLabel = "X",
      description = "Keep as many as make up this share of the sum of all (not of extract).")
  private Optional<Double> cumulative = Optional.empty();

  @Option(
      names = "--sv-fro",
      paramLabel = "X",
      description = "Keep as many as hold this share of the Frobenius norm.")
  private Optional<Double> frobenius = Optional.empty();

  /** The rule, if one is given. */
  Optional<RankRule> rule() {
    List<RankRule> rules =
        Stream.of(
                ratio.map(RankRule.Ratio::new),
                cumulative.map(RankRule.Cumulative::new),
                frobenius.map(RankRule.Frobenius::new))
            .flatMap(Optional<? extends RankRule>::stream)
            .map(r -> (RankRule) r)
            .toList();
    if (rules.size() > 1) {
      throw new UserException("Give one of --sv-ratio, --sv-cumulative and --sv-fro.");
    }
    Optional<RankRule> fixed = rank.map(RankRule.Fixed::new);
    return rules.isEmpty() ? fixed : Optional.of(rules.get(0));
  }

  /**
   * Likewise where there must be one.
   *
   * @throws UserException if none is given
   */
  RankRule required() {
    return rule()
        .orElseThrow(
            () ->
                new UserException(
                    "Say how much is kept: --rank N, --sv-ratio X, --sv-cumulative X or --sv-fro"
                        + " X."));
  }

  /** The most of any layer. */
  Optional<Integer> most() {
    return rank;
  }
}

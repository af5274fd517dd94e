package org.loranative.diagnose;

import java.util.Optional;
import java.util.OptionalDouble;

/**
 * A language model that begins no better than by guessing evenly among its tokens, where the loss
 * is ln of the vocabulary: random, ruined or foreign weights, whatever the loss does afterwards.
 */
final class UntrainedBase implements Check {
  private static final int FIRST = 5;

  /** Share of ln of the vocabulary: a model of real weights lies far below on any text. */
  private static final double NEAR = 0.93;

  /** Where the vocabulary is not known: between that of 8,000 tokens and of 250,000. */
  private static final double HIGH = 9;

  @Override
  public Optional<Finding> find(RunCurves run) {
    Curve loss = run.loss().finite();
    if (run.isDiffusion() || loss.size() < FIRST) {
      return Optional.empty();
    }
    // The first step's loss is the untouched model's; a few more in case it is an easy record.
    double start = Math.min(loss.first(), Statistics.median(loss.values(), 0, FIRST));
    OptionalDouble guessing = run.number("vocab_size").stream().map(Math::log).findFirst();
    boolean untrained = guessing.isPresent() ? start > NEAR * guessing.getAsDouble() : start > HIGH;
    if (!untrained) {
      return Optional.empty();
    }
    String compared =
        guessing.isPresent()
            ? String.format("guessing among all tokens gives %.3g", guessing.getAsDouble())
            : "guessing among 8,000 to 250,000 tokens gives 9 to 12.4";
    return Optional.of(
        new Finding(
            Finding.Symptom.UNTRAINED_BASE,
            loss.steps()[0],
            String.format("the untouched model's loss is %.4g; %s", start, compared),
            "Check that base_model holds trained weights, whole and unharmed, and the tokenizer"
                + " that belongs to them: what is learnt on such a base is of no use"));
  }
}

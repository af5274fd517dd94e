package org.loranative.diagnose;

import java.util.Optional;
import java.util.OptionalDouble;
import org.loranative.track.DataFacts;

/**
 * A language model that ends no better than one that knows how often each token is learnt and reads
 * nothing: its loss is the entropy of the labels.
 */
final class FrequenciesAlone implements Check {
  private static final int FEWEST = 50;

  /** Nats; below, the answers are nearly always the same. */
  private static final double LEAST = 1;

  /** Share of the entropy. */
  private static final double NEAR = 0.97;

  @Override
  public Optional<Finding> find(RunCurves run) {
    OptionalDouble entropy = run.number(DataFacts.LABEL_ENTROPY);
    double[] v = run.loss().finite().values();
    if (run.isDiffusion()
        || entropy.isEmpty()
        || entropy.getAsDouble() < LEAST
        || !run.isWhole()
        || v.length < FEWEST) {
      return Optional.empty();
    }
    double end = Statistics.median(v, v.length - v.length / 5, v.length);
    if (end < NEAR * entropy.getAsDouble()) {
      return Optional.empty();
    }
    return Optional.of(
        new Finding(
            Finding.Kind.FREQUENCIES_ALONE,
            run.loss().lastStep(),
            String.format(
                "the loss ends at %.4g; knowing how often each token comes and reading nothing gives"
                    + " %.4g%s (it began at %.4g)",
                end,
                entropy.getAsDouble(),
                run.number("vocab_size").isPresent()
                    ? String.format(
                        ", guessing %.3g", Math.log(run.number("vocab_size").getAsDouble()))
                    : "",
                v[0]),
            "Check that base_model, tokenizer and chat format belong together, and whether answers"
                + " follow from their prompts; then "
                + new Advice(run).higherRate()));
  }
}

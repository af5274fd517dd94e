package org.loranative.diagnose;

import java.util.Optional;
import java.util.OptionalDouble;
import org.loranative.track.DataFacts;

/**
 * A language model that is no better than one that knows how often each token is learnt and reads
 * nothing: its loss is the entropy of the labels. While it trains that is judged once it has seen
 * every record, and if its loss no longer falls.
 */
final class FrequenciesAlone implements Check {
  private static final int FEWEST = 50;

  /** Nats; below, the answers are nearly always the same. */
  private static final double LEAST = 1;

  /** Share of the entropy. */
  private static final double NEAR = 0.97;

  /** Share of the loss a fifth of the way before below which it still falls. */
  private static final double FALLS = 0.99;

  /** Whether every record was trained on at full rate, as far as is known. */
  private static boolean hasSeenAll(RunCurves run) {
    OptionalDouble records = run.number(DataFacts.RECORDS);
    OptionalDouble batch = run.number("batch_size");
    double steps = run.loss().lastStep() - run.number("warmup_steps").orElse(0);
    return records.isPresent()
        && batch.isPresent()
        && steps >= FEWEST
        && steps * batch.getAsDouble() * run.number("gradient_accumulation").orElse(1)
            >= records.getAsDouble();
  }

  @Override
  public Optional<Finding> find(RunCurves run) {
    OptionalDouble entropy = run.number(DataFacts.LABEL_ENTROPY);
    double[] v = run.loss().finite().values();
    if (run.isDiffusion()
        || entropy.isEmpty()
        || entropy.getAsDouble() < LEAST
        || v.length < FEWEST
        || !run.isWhole() && !hasSeenAll(run)) {
      return Optional.empty();
    }
    double end = Statistics.median(v, v.length - v.length / 5, v.length);
    double before = Statistics.median(v, v.length * 2 / 5, v.length * 3 / 5);
    if (end < NEAR * entropy.getAsDouble() || !run.isWhole() && end < FALLS * before) {
      return Optional.empty();
    }
    return Optional.of(
        new Finding(
            Finding.Symptom.FREQUENCIES_ALONE,
            run.loss().lastStep(),
            String.format(
                "the loss %s at %.4g; knowing how often each token comes and reading nothing gives"
                    + " %.4g%s (it began at %.4g)",
                run.isWhole() ? "ends" : "stays",
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

package org.loranative.diagnose;

import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalDouble;

/** Records of which nothing, or next to nothing, is learnt: their answers are empty or cut off. */
final class Labels implements Check {
  private static final int FEWEST = 3;

  /** Tokens of an answer that says something; its end is one or two. */
  private static final double ANSWER = 2.5;

  private static final double SHARE = 0.03;

  @Override
  public Optional<Finding> find(RunCurves run) {
    Curve loss = run.loss().finite();
    if (loss.size() >= FEWEST && Arrays.stream(loss.values()).allMatch(x -> x == 0)) {
      return Optional.of(
          new Finding(
              Finding.Symptom.NO_LABELS,
              loss.steps()[0],
              "the loss is exactly 0 from the first step on",
              "No token or pixel counts: look whether answers are empty or cut off by the length"
                  + " limit, and whether the chat template marks them"));
    }
    OptionalDouble share = run.labelledShare();
    OptionalDouble tokens = run.labelledOfARecord();
    boolean few = tokens.isPresent() ? tokens.getAsDouble() < ANSWER : share.orElse(1) < SHARE;
    if (run.isDiffusion() || !few) {
      return Optional.empty();
    }
    String evidence =
        tokens.isPresent()
            ? String.format("%.1f tokens of a record are learnt from", tokens.getAsDouble())
            : String.format("%.1f %% of the tokens are learnt from", 100 * share.getAsDouble());
    return Optional.of(
        new Finding(
            Finding.Symptom.FEW_LABELS,
            loss.isEmpty() ? 0 : loss.steps()[0],
            evidence + ", as where answers are empty",
            "Look at the records (data --dry-run); where answers are meant to be one word, nothing"
                + " is wrong"));
  }
}

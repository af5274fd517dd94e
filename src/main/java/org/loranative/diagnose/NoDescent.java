package org.loranative.diagnose;

import java.util.Optional;

/**
 * A language model whose first ten steps stay above 5: the base does not know such text, or is not
 * what it seems. (Diffusion losses lie near 0.1: this is not for them.)
 */
final class NoDescent implements Check {
  private static final int FIRST = 10;
  private static final double HIGH = 5;

  /** Steps that show whether it falls: ten are too few to tell slow from none. */
  private static final int FEWEST = 25;

  /** One-sided 1 %. */
  private static final double SURE = 2.33;

  @Override
  public Optional<Finding> find(RunCurves run) {
    Curve loss = run.loss().finite();
    if (run.isDiffusion() || loss.size() < FEWEST) {
      return Optional.empty();
    }
    double[] v = loss.values();
    int n = v.length;
    double start = Statistics.mean(v, 0, FIRST);
    double end = Statistics.mean(v, Math.max(0, n - FIRST), n);
    boolean falls =
        Statistics.trend(loss.slice(0, Math.min(n, 3 * FIRST)).values()) < -SURE
            || end < 0.85 * start;
    if (v[0] <= HIGH || start <= HIGH || end <= HIGH || falls) {
      return Optional.empty();
    }
    return Optional.of(
        new Finding(
            Finding.Kind.NO_DESCENT,
            loss.steps()[0],
            String.format(
                "the first %d steps have a mean loss of %.2f, the last %.2f", FIRST, start, end),
            "Check that base_model and its tokenizer belong together and are trained weights, and that"
                + " the data is in the model's language and chat format; then raise learning_rate"));
  }
}

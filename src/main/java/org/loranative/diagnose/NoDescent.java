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

  /** Share that its noise may hide. */
  private static final double FALLS = 0.1;

  @Override
  public Optional<Finding> find(RunCurves run) {
    Curve loss = run.loss().finite();
    if (run.isDiffusion() || loss.size() < FEWEST) {
      return Optional.empty();
    }
    Level level = new Level(loss);
    Level.Fall fall = level.fall();
    double start = level.loss(0, FIRST);
    if (loss.first() <= HIGH || start <= HIGH || fall.last() <= HIGH || fall.most() > FALLS) {
      return Optional.empty();
    }
    return Optional.of(
        new Finding(
            Finding.Symptom.NO_DESCENT,
            loss.steps()[0],
            String.format(
                "the first %d steps have a mean loss of %.2f, the last quarter %.2f",
                FIRST, start, fall.last()),
            "Check that base_model and its tokenizer belong together and are trained weights, and"
                + " that the data is in the model's language and chat format; then raise"
                + " learning_rate"));
  }
}

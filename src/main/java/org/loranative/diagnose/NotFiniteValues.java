package org.loranative.diagnose;

import java.util.Optional;

/** A loss or a gradient that is no number. */
final class NotFiniteValues implements Check {
  @Override
  public Optional<Finding> find(RunCurves run) {
    return of("loss", run.loss(), run)
        .or(() -> of("grad_norm", run.gradNorm(), run))
        .or(() -> of("validation loss", run.validation(), run));
  }

  private static Optional<Finding> of(String name, Curve curve, RunCurves run) {
    int i = curve.firstNotFinite();
    if (i < 0) {
      return Optional.empty();
    }
    Advice advice = new Advice(run);
    String before = i == 0 ? "" : String.format(", %.4g before", curve.values()[i - 1]);
    return Optional.of(
        new Finding(
            Finding.Symptom.NOT_FINITE,
            curve.steps()[i],
            String.format("%s is %s%s", name, curve.values()[i], before),
            "Set "
                + advice.calmerRate()
                + advice.clipping().map(c -> ", " + c).orElse("")
                + ", and look at the records of that step (logs/train.log names them)"));
  }
}

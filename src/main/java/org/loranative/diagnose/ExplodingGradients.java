package org.loranative.diagnose;

import java.util.Optional;

/** Gradients that grow tenfold, or jump so again and again. */
final class ExplodingGradients implements Check {
  private static final int FEWEST = 30;
  private static final double FACTOR = 10;
  private static final int BEFORE = 50;

  @Override
  public Optional<Finding> find(RunCurves run) {
    Curve norm = run.gradNorm().finite();
    double[] v = norm.values();
    int n = v.length;
    if (n < FEWEST) {
      return Optional.empty();
    }
    int count = 0;
    int first = -1;
    for (int i = 10; i < n; i++) {
      double usual = Statistics.median(v, Math.max(0, i - BEFORE), i);
      if (usual > 0 && v[i] > FACTOR * usual) {
        count++;
        first = first < 0 ? i : first;
      }
    }
    double early = Statistics.median(v, n / 20, n / 20 + n / 4);
    double late = Statistics.median(v, n - n / 4, n);
    boolean grows = early > 0 && late > FACTOR * early;
    if (!grows && count < Math.max(4, n / 25)) {
      return Optional.empty();
    }
    Advice advice = new Advice(run);
    long step = norm.steps()[first < 0 ? n - n / 4 : first];
    String evidence =
        grows
            ? String.format("the gradient norm grows from %.3g to %.3g", early, late)
            : String.format("the gradient norm jumps tenfold at %d of %d steps", count, n);
    return Optional.of(
        new Finding(
            Finding.Symptom.EXPLODING_GRADIENTS,
            step,
            evidence,
            "Set " + advice.clipping().map(c -> c + " and ").orElse("") + advice.calmerRate()));
  }
}

package org.loranative.diagnose;

import java.util.Optional;

/**
 * The probe with captions or answers of other records: where it is as low as with their own, these
 * do not belong together, or the model does not read its prompt.
 */
final class UnrelatedData implements Check {
  private static final int FEWEST = 3;

  /** Share of the loss by which what belongs together is better. */
  private static final double GAP = 0.01;

  /** Something must have been learnt before it can show. */
  private static final double LEARNT = 0.03;

  @Override
  public Optional<Finding> find(RunCurves run) {
    Curve probe = run.probe().finite();
    Curve swapped = run.swapped().finite();
    int n = Math.min(probe.size(), swapped.size());
    if (n < FEWEST || new Measured(probe).fell() < LEARNT) {
      return Optional.empty();
    }
    double[] gaps = new double[n];
    for (int i = 0; i < n; i++) {
      double own = probe.values()[probe.size() - n + i];
      gaps[i] = (swapped.values()[swapped.size() - n + i] - own) / own;
    }
    double gap = Statistics.median(gaps, n / 2, n);
    if (gap > (run.isDiffusion() ? GAP / 5 : GAP)) {
      return Optional.empty();
    }
    String what = run.isDiffusion() ? "captions" : "answers";
    return Optional.of(
        new Finding(
            Finding.Kind.UNRELATED_DATA,
            probe.steps()[0],
            String.format(
                "with the %s of other records the probe loss is %.4g, with their own %.4g: %.2g %%"
                    + " apart",
                what, swapped.last(), probe.last(), 100 * gap),
            "Look whether "
                + what
                + " stand beside the right records (data --dry-run shows them); if they do, they say"
                + " nothing that the model uses"));
  }
}

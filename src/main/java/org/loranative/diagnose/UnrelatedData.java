package org.loranative.diagnose;

import java.util.Arrays;
import java.util.Optional;

/**
 * The probe with captions or answers of other records: where it is as low as with their own, or
 * comes near it while the loss falls, these do not belong together, or the model does not read its
 * prompt.
 */
final class UnrelatedData implements Check {
  private static final int FEWEST = 3;

  /** Share of the loss by which what belongs together is better; of diffusion less. */
  private static final double GAP = 0.01;

  private static final double DIFFUSION_GAP = 0.001;

  /** Where a run is over, a gap up to here that has shrunk to a third and grows no more. */
  private static final double LITTLE = 0.03;

  private static final double SHRUNK = 1 / 3.0;

  /** Times its least in the later half that a gap ends at where it grows. */
  private static final double GROWS = 1.3;

  /** Something must have been learnt before it can show. */
  private static final double LEARNT = 0.03;

  /** Held-out records show nothing where their own answers are no better for sure, nor by this. */
  private static final double HELD_OUT_GAP = 0.025;

  private static final String VALIDATION = "val";
  private static final String EXCHANGED = "val_swapped";

  @Override
  public Optional<Finding> find(RunCurves run) {
    return ofHeldOut(run).or(() -> ofProbe(run));
  }

  /**
   * Held-out records, answer by answer: what is learnt by heart of answers that belong to other
   * prompts is no use to them.
   */
  private static Optional<Finding> ofHeldOut(RunCurves run) {
    Curve probe = run.probe().finite();
    int n = probe.size();
    if (n < FEWEST || new MeasuredLoss(probe).fell() < LEARNT) {
      return Optional.empty();
    }
    long[] later = Arrays.copyOfRange(probe.steps(), n / 2, n);
    return Paired.of(run, EXCHANGED, VALIDATION, later)
        .filter(p -> p.low() <= 0 && p.fell() <= HELD_OUT_GAP)
        .map(
            p ->
                finding(
                    run,
                    String.format(
                        "held-out answers are %s, after their own prompts than after those of"
                            + " others, on %d records",
                        p, p.records())));
  }

  private static Finding finding(RunCurves run, String shown) {
    String what = run.isDiffusion() ? "captions" : "answers";
    return new Finding(
        Finding.Symptom.UNRELATED_DATA,
        run.probe().finite().steps()[0],
        shown,
        "Look whether "
            + what
            + " stand beside the right records; if they do, they say"
            + " nothing that the model uses");
  }

  private static Optional<Finding> ofProbe(RunCurves run) {
    Curve probe = run.probe().finite();
    Curve swapped = run.swapped().finite();
    int n = Math.min(probe.size(), swapped.size());
    if (n < FEWEST || new MeasuredLoss(probe).fell() < LEARNT) {
      return Optional.empty();
    }
    double[] gaps = new double[n];
    for (int i = 0; i < n; i++) {
      double own = probe.values()[probe.size() - n + i];
      gaps[i] = (swapped.values()[swapped.size() - n + i] - own) / own;
    }
    double gap = Statistics.median(gaps, n / 2, n);
    double none = run.isDiffusion() ? DIFFUSION_GAP : GAP;
    if (gap > none && !(run.isWhole() && hasShrunk(gaps))) {
      return Optional.empty();
    }
    return Optional.of(
        finding(
            run,
            String.format(
                "with the %s of other records the probe loss is %.4g, with their own %.4g: %.2g %%"
                    + " apart, %.2g %% at the first measurement%s",
                run.isDiffusion() ? "captions" : "answers",
                swapped.last(),
                probe.last(),
                100 * gap,
                100 * gaps[0],
                gap > gaps[0] ? "" : "; where they belong together the gap grows")));
  }

  /**
   * At first the gap may shrink in any run, while what all prompts have in common is learnt; where
   * they say something it grows again.
   */
  private static boolean hasShrunk(double[] gaps) {
    int n = gaps.length;
    double last = gaps[n - 1];
    double least = Arrays.stream(gaps, n / 2, n).min().orElse(last);
    return last < LITTLE && last < SHRUNK * gaps[0] && last <= GROWS * Math.max(0, least);
  }
}

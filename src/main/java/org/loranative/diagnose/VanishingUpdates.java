package org.loranative.diagnose;

import java.util.Optional;

/** Gradients that die away while there is still a loss to lower. */
final class VanishingUpdates implements Check {
  private static final int FEWEST = 30;
  private static final double NOTHING = 1e-7;
  private static final double SHARE = 1e-3;

  @Override
  public Optional<Finding> find(RunCurves run) {
    Curve norm = run.gradNorm().finite();
    Curve all = run.loss().finite();
    double[] v = norm.values();
    int n = v.length;
    if (n < FEWEST || all.isEmpty()) {
      return Optional.empty();
    }
    double early = Statistics.median(v, 0, n / 4);
    double late = Statistics.median(v, n - n / 4, n);
    double[] loss = all.values();
    double left = Statistics.median(loss, loss.length - Math.max(1, loss.length / 4), loss.length);
    boolean learnt = left < 0.05 * Math.abs(loss[0]);
    if (learnt || !(late < NOTHING || late < SHARE * early)) {
      return Optional.empty();
    }
    int at = 0;
    while (at < n - 1 && v[at] > Math.max(NOTHING, SHARE * early)) {
      at++;
    }
    return Optional.of(
        new Finding(
            Finding.Symptom.VANISHING_UPDATES,
            norm.steps()[at],
            String.format(
                "the gradient norm falls from %.3g to %.3g, the loss is %.4g", early, late, left),
            "Check lora_alpha (the adapter's effect is alpha / rank)"
                + ("f16".equals(run.settings().getOrDefault("compute_dtype", "f16"))
                    ? " and compute_dtype (f16 can lose small gradients: bf16 does not)"
                    : "")));
  }
}

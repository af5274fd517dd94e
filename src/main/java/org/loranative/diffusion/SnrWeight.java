package org.loranative.diffusion;

/**
 * How much the loss at a timestep counts, by its signal-to-noise ratio.
 *
 * @param gamma of min-SNR (Hang et al. 2023), 0 for none
 * @param debiased whether by debiased estimation too (Yu et al. 2023)
 */
public record SnrWeight(double gamma, boolean debiased) {
  private static final double MOST = 1000;

  /** The weight; finite at a ratio of 0, except of debiased estimation where noise is predicted. */
  public double at(NoiseSchedule schedule, int timestep) {
    double snr = schedule.signalToNoise(timestep);
    boolean velocity = schedule.prediction() == Prediction.V_PREDICTION;
    double weight = 1;
    if (gamma > 0) {
      weight = velocity ? Math.min(snr, gamma) / (snr + 1) : Math.min(1, gamma / snr);
    }
    if (debiased) {
      double capped = Math.min(snr, MOST);
      weight /= velocity ? capped + 1 : Math.sqrt(capped);
    }
    return weight;
  }
}

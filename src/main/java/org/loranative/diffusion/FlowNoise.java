package org.loranative.diffusion;

import org.loranative.UserException;

/** Any σ of a {@link FlowMatching} between two bounds. */
record FlowNoise(
    FlowMatching flow,
    int first,
    int end,
    TimestepSampling sampling,
    double shift,
    FlowWeighting weighting)
    implements TrainingNoise {
  /** FLUX's shift: e to a number that rises with an image's tokens, of 2 × 2 latents each. */
  private static final int FEW_TOKENS = 256;

  private static final int MANY_TOKENS = 4096;
  private static final double LEAST_LOG_SHIFT = 0.5;
  private static final double MOST_LOG_SHIFT = 1.15;
  private static final int LATENTS_OF_TOKEN = 4;

  static FlowNoise of(FlowMatching flow, NoiseChoice choice) {
    refuse(choice.minSnrGamma() > 0, "min_snr_gamma");
    refuse(choice.debiasedEstimation(), "debiased_estimation");
    TimestepSampling sampling = choice.sampling().orElse(flow.usual());
    if (choice.flowShift().isPresent() && sampling.shift != TimestepSampling.Shift.CONSTANT) {
      throw new UserException(
          String.format(
              "flow_shift has no meaning with timestep_sampling: %s, which %s. Leave it out, or"
                  + " choose shift.",
              sampling.label(),
              sampling.shift == TimestepSampling.Shift.NONE
                  ? "shifts nothing"
                  : "shifts by each image's size"));
    }
    return new FlowNoise(
        flow,
        choice.minTimestep(),
        Math.min(choice.maxTimestep(), flow.steps()),
        sampling,
        choice.flowShift().orElse(flow.shift()),
        choice.weighting());
  }

  private static void refuse(boolean set, String key) {
    if (set) {
      throw new UserException(
          key
              + " weighs by the signal-to-noise ratio of a schedule; this base is trained by flow"
              + " matching. Remove it, or set loss_weighting.");
    }
  }

  @Override
  public double draw(float u, float v, long latents) {
    double normal = Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v); // Box and Muller
    double sigma = shifted(sampling.sigma(u, normal), latents);
    return first + sigma * (end - first);
  }

  private double shifted(double sigma, long latents) {
    return switch (sampling.shift) {
      case NONE -> sigma;
      case CONSTANT -> FlowMatching.shifted(sigma, shift);
      case BY_SIZE -> FlowMatching.shifted(sigma, shiftOf(latents));
    };
  }

  /** e^μ of an image of so many latents. */
  static double shiftOf(long latents) {
    double tokens = latents / (double) LATENTS_OF_TOKEN;
    double slope = (MOST_LOG_SHIFT - LEAST_LOG_SHIFT) / (MANY_TOKENS - FEW_TOKENS);
    return Math.exp(LEAST_LOG_SHIFT + slope * (tokens - FEW_TOKENS));
  }

  @Override
  public double weight(double timestep) {
    return weighting.at(timestep / flow.steps());
  }
}

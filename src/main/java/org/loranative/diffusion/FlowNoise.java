package org.loranative.diffusion;

import org.loranative.UserException;

/** Any σ of a {@link FlowMatching} between two bounds. */
record FlowNoise(
    FlowMatching flow,
    int first,
    int end,
    TimestepSampling sampling,
    FlowShift shift,
    FlowWeighting weighting)
    implements TrainingNoise {
  static FlowNoise of(FlowMatching flow, NoiseChoice choice) {
    refuse(choice.minSnrGamma() > 0, "min_snr_gamma");
    refuse(choice.debiasedEstimation(), "debiased_estimation");
    TimestepSampling sampling = choice.sampling().orElse(flow.usual());
    if (choice.flowShift().isPresent() && sampling.shift != TimestepSampling.Shift.CHOSEN) {
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
        sampling.shift.of(choice.flowShift(), flow.shift()),
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
    double sigma = shift.shifted(sampling.sigma(u, normal), latents);
    return first + sigma * (end - first);
  }

  @Override
  public double weight(double timestep) {
    return weighting.at(timestep / flow.steps());
  }
}

package org.loranative.diffusion;

import org.loranative.UserException;

/** Whole timesteps of a {@link NoiseSchedule}, each as likely as the others. */
record ScheduleNoise(NoiseSchedule schedule, int first, int end, SnrWeight weights)
    implements TrainingNoise {

  static ScheduleNoise of(NoiseSchedule schedule, NoiseChoice choice) {
    refuse(choice.sampling().isPresent(), "timestep_sampling");
    refuse(choice.flowShift().isPresent(), "flow_shift");
    refuse(choice.weighting() != FlowWeighting.NONE, "loss_weighting");
    SnrWeight weights = new SnrWeight(choice.minSnrGamma(), choice.debiasedEstimation());
    int end = Math.min(choice.maxTimestep(), schedule.steps());
    // Where noise is predicted, debiased estimation has no weight for a timestep of noise alone.
    if (!Double.isFinite(weights.at(schedule, end - 1))) {
      throw new UserException(
          String.format(
              "debiased_estimation divides by the signal-to-noise ratio, which this base's schedule"
                  + " ends with 0 (rescale_betas_zero_snr) while it predicts epsilon: set"
                  + " max_timestep: %d, or use min_snr_gamma instead.",
              end - 1));
    }
    return new ScheduleNoise(schedule, choice.minTimestep(), end, weights);
  }

  private static void refuse(boolean set, String key) {
    if (set) {
      throw new UserException(
          key
              + " is for models of flow matching (Stable Diffusion 3); this base has a noise"
              + " schedule. Remove it"
              + (key.equals("loss_weighting") ? ", or set min_snr_gamma." : "."));
    }
  }

  @Override
  public double draw(float u, float v, long latents) {
    return first + (int) (u * (end - first));
  }

  @Override
  public double weight(double timestep) {
    return weights.at(schedule, (int) timestep);
  }
}

package org.loranative.diffusion;

import java.util.function.IntFunction;

/** Leads noise to latents in a few steps. */
public interface Sampler {
  /** A model with its text and guidance: latents (scaled as it wants them) and a timestep in. */
  interface Predict {
    float[] apply(float[] latents, double timestep);
  }

  /**
   * Runs all steps.
   *
   * @param latents height times width of the image's
   * @param start standard normal noise
   * @param noise fresh standard normal noise for step i, where the sampler adds some
   */
  float[] sample(
      int steps, long latents, float[] start, Predict predict, IntFunction<float[]> noise);
}

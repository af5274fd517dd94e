package org.loranative.diffusion;

/** Which timesteps a run draws, and how much each counts. */
public interface TrainingNoise {

  /** The first timestep that may be drawn. */
  int first();

  /** Behind the last one. */
  int end();

  /**
   * An image's timestep.
   *
   * @param u and v are uniform in [0, 1)
   * @param latents height times width of the image's
   */
  double draw(float u, float v, long latents);

  /** How much the loss at a timestep counts. */
  double weight(double timestep);
}

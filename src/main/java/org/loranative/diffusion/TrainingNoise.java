package org.loranative.diffusion;

/** Which timesteps a run draws, and how much each counts. */
public interface TrainingNoise {

  /** The first timestep that may be drawn. */
  int first();

  /** Behind the last one. */
  int end();

  /**
   * A timestep.
   *
   * @param u uniform in [0, 1)
   */
  double draw(float u);

  /** How much the loss at a timestep counts. */
  double weight(double timestep);
}

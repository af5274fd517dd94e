package org.loranative.diffusion;

/**
 * What training shows a model at a timestep, and what it should answer, both made of the clean
 * latents x and noise ε: {@code signal · x + noise · ε} and {@code targetSignal · x + targetNoise ·
 * ε}.
 */
public record Mixture(double signal, double noise, double targetSignal, double targetNoise) {

  /** What the model sees. */
  public float shown(double clean, double epsilon) {
    return (float) (signal * clean + noise * epsilon);
  }

  /** What it should answer. */
  public float target(double clean, double epsilon) {
    return (float) (targetSignal * clean + targetNoise * epsilon);
  }
}

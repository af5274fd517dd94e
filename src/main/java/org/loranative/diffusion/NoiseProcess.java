package org.loranative.diffusion;

import java.util.List;
import java.util.Optional;
import org.loranative.UserException;

/** How a model's images become noise over its timesteps, and how samplers lead them back. */
public interface NoiseProcess {

  /** Timesteps lie from 0 to one less. */
  int steps();

  /** What is seen and learnt at a timestep. */
  Mixture at(double timestep);

  /** A timestep, as records and curves name it. */
  default String label(int timestep) {
    return "t" + timestep;
  }

  /** Likewise those from {@code from} on, below {@code to}. */
  default String label(int from, int to) {
    return String.format("t%d-%d", from, to - 1);
  }

  /**
   * The timesteps of a run, and how much each counts.
   *
   * @throws org.loranative.UserException if the choice has no meaning for this process
   */
  TrainingNoise training(NoiseChoice choice);

  /**
   * The timestep of a σ that a file of recorded noise names.
   *
   * @throws UserException if this process's timesteps are not named so
   */
  default double timestepOfSigma(double sigma) {
    throw new UserException(
        "noise_replay holds \"sigmas\", which are for models of flow matching; this base needs"
            + " \"timesteps\".");
  }

  /**
   * The same, rescaled so that the last timestep is pure noise.
   *
   * @param by what asked for it, for the sentence
   * @throws UserException if it has no such meaning here
   */
  default NoiseProcess zeroTerminal(String by) {
    throw new UserException(
        by + " is for bases with a noise schedule; flow matching ends in pure noise. Remove it.");
  }

  /** Names of its samplers. */
  List<String> samplers();

  Optional<Sampler> sampler(String label);
}

package org.loranative.diffusion;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Rectified flow: a straight line from an image x to noise ε, {@code (1 − σ) x + σ ε}, along which
 * the model predicts the velocity {@code ε − x} (Liu et al. 2023; Esser et al. 2024). A timestep is
 * σ times the number of steps.
 *
 * @param steps timesteps that the model was trained with
 * @param shift of σ, for samplers and, unless a run says otherwise, for training
 * @param spacing of a sampler's steps
 * @param usual how training draws σ where the user does not say
 */
public record FlowMatching(int steps, FlowShift shift, FlowSpacing spacing, TimestepSampling usual)
    implements NoiseProcess {

  @Override
  public Mixture at(double timestep) {
    double sigma = timestep / steps;
    return new Mixture(1 - sigma, sigma, -1, 1);
  }

  /** σ, which is what people think of. */
  @Override
  public String label(int timestep) {
    return String.format(Locale.ROOT, "sigma%.2f", timestep / (double) steps);
  }

  @Override
  public String label(int from, int to) {
    return String.format(Locale.ROOT, "sigma%.2f-%.2f", from / (double) steps, to / (double) steps);
  }

  @Override
  public TrainingNoise training(NoiseChoice choice) {
    return FlowNoise.of(this, choice);
  }

  @Override
  public double timestepOfSigma(double sigma) {
    return sigma * steps;
  }

  @Override
  public List<String> samplers() {
    return Stream.of(FlowSampler.values()).map(FlowSampler::label).toList();
  }

  @Override
  public Optional<Sampler> sampler(String label) {
    return FlowSampler.named(label)
        .map(
            s -> (n, latents, start, predict, noise) -> s.sample(this, n, latents, start, predict));
  }
}

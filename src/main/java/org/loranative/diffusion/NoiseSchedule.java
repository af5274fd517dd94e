package org.loranative.diffusion;

import java.util.List;
import java.util.Optional;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.loranative.UserException;

/**
 * How noise is added over the steps of training, and what the model predicts (Ho et al. 2020;
 * scaled linear β: Rombach et al. 2022).
 *
 * @param spacing of a sampler's timesteps, where the model says so; else each sampler's own
 * @param stepsOffset added to a sampler's timesteps where they are spaced from 0 ("leading")
 * @param alphaOneAtEnd whether a sampler's last step goes to a clean image, or to timestep 0
 */
public record NoiseSchedule(
    double[] alphas,
    Prediction prediction,
    Optional<Spacing> spacing,
    int stepsOffset,
    boolean alphaOneAtEnd)
    implements NoiseProcess {
  /** What diffusers' samplers take for α where there is no signal at all. */
  private static final double LEAST_ALPHA = 0x1p-24;

  /** What the products of 1 − β are made of. */
  public enum Betas {
    LINEAR,
    SCALED_LINEAR
  }

  /**
   * @param zeroTerminalSnr rescale so that the last step is pure noise (Lin et al. 2024, algorithm
   *     1)
   */
  public static NoiseSchedule of(
      Betas betas,
      int steps,
      double start,
      double end,
      boolean zeroTerminalSnr,
      Prediction prediction,
      Optional<Spacing> spacing,
      int stepsOffset,
      boolean alphaOneAtEnd) {
    double[] alphas = new double[steps];
    double product = 1;
    for (int i = 0; i < steps; i++) {
      double share = i / (steps - 1.0);
      double beta =
          betas == Betas.LINEAR
              ? start + (end - start) * share
              : Math.pow(Math.sqrt(start) + (Math.sqrt(end) - Math.sqrt(start)) * share, 2);
      product *= 1 - beta;
      alphas[i] = product;
    }
    return new NoiseSchedule(
        zeroTerminalSnr ? rescaled(alphas) : alphas,
        prediction,
        spacing,
        stepsOffset,
        alphaOneAtEnd);
  }

  private static double[] rescaled(double[] alphas) {
    double first = Math.sqrt(alphas[0]);
    double last = Math.sqrt(alphas[alphas.length - 1]);
    return DoubleStream.of(alphas)
        .map(alpha -> Math.pow((Math.sqrt(alpha) - last) * first / (first - last), 2))
        .toArray();
  }

  /**
   * Samplers then begin at the last timestep ("trailing"), without which the rescaling would be
   * lost to them. A schedule that ends so stays as it is, but for that.
   */
  @Override
  public NoiseSchedule zeroTerminal(String by) {
    if (prediction == Prediction.EPSILON) {
      throw new UserException(
          by
              + " is set, but this base predicts epsilon, the noise, and of pure noise that says"
              + " nothing of the image. It needs a base that predicts velocity: set"
              + " prediction_type: v_prediction if this one does, or remove "
              + by
              + ".");
    }
    return new NoiseSchedule(
        rescaled(alphas), prediction, Optional.of(Spacing.TRAILING), stepsOffset, alphaOneAtEnd);
  }

  /** The same noise for a model that predicts something else. */
  public NoiseSchedule predicting(Prediction other) {
    return new NoiseSchedule(alphas, other, spacing, stepsOffset, alphaOneAtEnd);
  }

  @Override
  public int steps() {
    return alphas.length;
  }

  @Override
  public Mixture at(double timestep) {
    double alpha = alphas[(int) timestep];
    double signal = Math.sqrt(alpha);
    double noise = Math.sqrt(1 - alpha);
    return prediction == Prediction.V_PREDICTION
        ? new Mixture(signal, noise, -noise, signal)
        : new Mixture(signal, noise, 0, 1);
  }

  @Override
  public TrainingNoise training(NoiseChoice choice) {
    return ScheduleNoise.of(this, choice);
  }

  @Override
  public List<String> samplers() {
    return Stream.of(ScheduleSampler.values()).map(ScheduleSampler::label).toList();
  }

  @Override
  public Optional<Sampler> sampler(String label) {
    return ScheduleSampler.named(label)
        .map(
            s ->
                (steps, latents, start, predict, noise) ->
                    s.sample(this, steps, start, predict, noise));
  }

  /** The cumulated α of a timestep. */
  public double alpha(int t) {
    return alphas[t];
  }

  /** √((1 − α) / α), the noise's share of a timestep; finite at zero terminal SNR too. */
  public double sigma(int t) {
    double alpha = Math.max(alphas[t], LEAST_ALPHA);
    return Math.sqrt((1 - alpha) / alpha);
  }

  /** α / (1 − α). */
  public double signalToNoise(int t) {
    return alphas[t] / (1 - alphas[t]);
  }

  /** {@link #sigma} between timesteps. */
  double sigmaAt(double t) {
    int below = (int) Math.floor(t);
    int above = Math.min(below + 1, steps() - 1);
    return sigma(below) + (sigma(above) - sigma(below)) * (t - below);
  }

  /** The timestep of a sigma, by interpolation of its logarithm. */
  double timestepOf(double sigma) {
    int low = 0;
    while (low < steps() - 2 && sigma(low + 1) <= sigma) {
      low++;
    }
    double a = Math.log(sigma(low));
    double b = Math.log(sigma(low + 1));
    double share = Math.min(1, Math.max(0, (a - Math.log(sigma)) / (a - b)));
    return low + share;
  }
}

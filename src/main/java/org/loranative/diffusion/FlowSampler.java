package org.loranative.diffusion;

import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Samplers of {@link FlowMatching}. Numbers as diffusers' FlowMatchEulerDiscreteScheduler and
 * FlowMatchHeunDiscreteScheduler give them.
 */
enum FlowSampler {
  EULER,
  /** The mean of the slopes at both ends of a step: two predictions each (Karras et al. 2022). */
  HEUN;

  String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  static Optional<FlowSampler> named(String label) {
    return Stream.of(values()).filter(s -> s.label().equals(label)).findFirst();
  }

  /** See {@link Sampler#sample}; neither adds noise. */
  float[] sample(
      FlowMatching flow, int steps, long latents, float[] start, Sampler.Predict predict) {
    double[] sigmas = sigmas(flow, steps, latents);
    float[] x = start.clone();
    for (int i = 0; i < steps; i++) {
      float[] slope = predict.apply(x, flow.timestepOfSigma(sigmas[i]));
      float[] end = moved(x, slope, sigmas[i + 1] - sigmas[i]);
      if (this == HEUN && sigmas[i + 1] > 0) {
        float[] next = predict.apply(end, flow.timestepOfSigma(sigmas[i + 1]));
        for (int k = 0; k < x.length; k++) {
          slope[k] = (float) (0.5 * (slope[k] + (double) next[k]));
        }
        end = moved(x, slope, sigmas[i + 1] - sigmas[i]);
      }
      x = end;
    }
    return x;
  }

  private static float[] moved(float[] x, float[] slope, double by) {
    float[] y = new float[x.length];
    for (int k = 0; k < x.length; k++) {
      y[k] = (float) (x[k] + by * slope[k]);
    }
    return y;
  }

  /**
   * From 1 to the least in even steps, and 0. As in diffusers the least may be shifted before they
   * are spread, and all of them are after it.
   */
  private static double[] sigmas(FlowMatching flow, int steps, long latents) {
    double least = flow.spacing().least(flow, steps, latents);
    double[] sigmas = new double[steps + 1];
    for (int i = 0; i < steps; i++) {
      double even = steps == 1 ? 1 : 1 + (least - 1) * i / (steps - 1.0);
      sigmas[i] = flow.shift().shifted(even, latents);
    }
    return sigmas;
  }
}

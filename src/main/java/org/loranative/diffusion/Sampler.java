package org.loranative.diffusion;

import java.util.Locale;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.stream.Stream;

/**
 * Samplers: from noise to latents in a few steps. Numbers as diffusers' schedulers of the same name
 * give them (DDIM: Song et al. 2021; Euler: Karras et al. 2022; DPM++ 2M: Lu et al. 2022).
 */
public enum Sampler {
  DDIM,
  EULER,
  EULER_A,
  DPMPP_2M,
  DPMPP_2M_KARRAS;

  /** A model with its text and guidance: latents (scaled as it wants them) and a timestep in. */
  public interface Predict {
    float[] apply(float[] latents, double timestep);
  }

  /** The sampler's name for users: {@code ddim}, {@code euler_a}, {@code dpmpp_2m_karras} … */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  public static Optional<Sampler> named(String label) {
    return Stream.of(values()).filter(s -> s.label().equals(label)).findFirst();
  }

  /**
   * Runs all steps.
   *
   * @param start standard normal noise
   * @param noise fresh standard normal noise for step i, where the sampler adds some
   */
  public float[] sample(
      NoiseSchedule schedule,
      int steps,
      float[] start,
      Predict predict,
      IntFunction<float[]> noise) {
    if (steps < 1 || steps > schedule.steps()) {
      throw new IllegalArgumentException(steps + " steps of " + schedule.steps());
    }
    return switch (this) {
      case DDIM -> ddim(schedule, steps, start, predict);
      case EULER -> euler(schedule, steps, start, predict, Optional.empty());
      case EULER_A -> euler(schedule, steps, start, predict, Optional.of(noise));
      case DPMPP_2M -> dpm(schedule, steps, start, predict, false);
      case DPMPP_2M_KARRAS -> dpm(schedule, steps, start, predict, true);
    };
  }

  /**
   * Evenly spaced from the offset on ("leading"), the noisiest first.
   *
   * @param skipped how many of the least noisy are left out
   */
  private static int[] leading(NoiseSchedule s, int steps, int ratio, int skipped) {
    int[] timesteps = new int[steps];
    for (int i = 0; i < steps; i++) {
      timesteps[steps - 1 - i] = Math.min((i + skipped) * ratio + s.stepsOffset(), s.steps() - 1);
    }
    return timesteps;
  }

  private static float[] ddim(NoiseSchedule s, int steps, float[] start, Predict predict) {
    float[] x = start.clone();
    int ratio = s.steps() / steps;
    for (int t : leading(s, steps, ratio, 0)) {
      float[] output = predict.apply(x, t);
      double alpha = s.alpha(t);
      double next = t - ratio >= 0 ? s.alpha(t - ratio) : s.alphaOneAtEnd() ? 1 : s.alpha(0);
      double signal = Math.sqrt(alpha);
      double noise = Math.sqrt(1 - alpha);
      for (int i = 0; i < x.length; i++) {
        double clean =
            s.velocity() ? signal * x[i] - noise * output[i] : (x[i] - noise * output[i]) / signal;
        double epsilon = s.velocity() ? signal * output[i] + noise * x[i] : output[i];
        x[i] = (float) (Math.sqrt(next) * clean + Math.sqrt(1 - next) * epsilon);
      }
    }
    return x;
  }

  private static float[] euler(
      NoiseSchedule s,
      int steps,
      float[] start,
      Predict predict,
      Optional<IntFunction<float[]>> noise) {
    int[] timesteps = leading(s, steps, s.steps() / steps, 0);
    double first = s.sigma(timesteps[0]);
    float[] x = scaled(start, Math.sqrt(first * first + 1));
    for (int step = 0; step < steps; step++) {
      double sigma = s.sigma(timesteps[step]);
      double next = step + 1 < steps ? s.sigma(timesteps[step + 1]) : 0;
      double scale = Math.sqrt(sigma * sigma + 1);
      float[] output = predict.apply(scaled(x, 1 / scale), timesteps[step]);
      // Ancestral: down further than asked, and up again with fresh noise.
      double up =
          noise.isEmpty()
              ? 0
              : Math.sqrt(next * next * (sigma * sigma - next * next) / (sigma * sigma));
      double down = Math.sqrt(next * next - up * up);
      Optional<float[]> fresh =
          up > 0 ? Optional.of(noise.orElseThrow().apply(step)) : Optional.empty();
      for (int i = 0; i < x.length; i++) {
        double clean =
            s.velocity()
                ? output[i] * (-sigma / scale) + x[i] / (scale * scale)
                : x[i] - sigma * output[i];
        double y = x[i] + (x[i] - clean) / sigma * (down - sigma);
        x[i] = (float) (fresh.isPresent() ? y + up * fresh.get()[i] : y);
      }
    }
    return x;
  }

  private static float[] scaled(float[] x, double factor) {
    float[] y = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = (float) (x[i] * factor);
    }
    return y;
  }

  /** DPM-Solver++ of second order, midpoint form; its first and last step are of first order. */
  private static float[] dpm(
      NoiseSchedule s, int steps, float[] start, Predict predict, boolean karras) {
    double[] timesteps = new double[steps];
    double[] sigmas = new double[steps + 1]; // the last is 0: a clean image
    int[] leading = leading(s, steps, s.steps() / (steps + 1), 1);
    for (int i = 0; i < steps; i++) {
      sigmas[i] = karras ? karras(s, i, steps) : s.sigma(leading[i]);
      timesteps[i] = karras ? Math.rint(s.timestepOf(sigmas[i])) : leading[i];
    }
    float[] x = start.clone();
    float[] before = x;
    for (int step = 0; step < steps; step++) {
      float[] output = predict.apply(x, timesteps[step]);
      double alpha = 1 / Math.sqrt(sigmas[step] * sigmas[step] + 1);
      double sigma = sigmas[step] * alpha;
      float[] clean = new float[x.length];
      for (int i = 0; i < x.length; i++) {
        clean[i] =
            (float)
                (s.velocity()
                    ? alpha * x[i] - sigma * output[i]
                    : (x[i] - sigma * output[i]) / alpha);
      }
      double nextAlpha = 1 / Math.sqrt(sigmas[step + 1] * sigmas[step + 1] + 1);
      double nextSigma = sigmas[step + 1] * nextAlpha;
      double h = Math.log(nextAlpha / nextSigma) - Math.log(alpha / sigma); // infinite at the end
      double gain = -nextAlpha * (Math.exp(-h) - 1);
      boolean second = step > 0 && step < steps - 1;
      double previous =
          second ? Math.log(sigmas[step - 1]) - Math.log(sigmas[step]) : 0; // λ(now) − λ(before)
      for (int i = 0; i < x.length; i++) {
        double slope = second ? h / previous * (clean[i] - before[i]) : 0;
        x[i] = (float) (nextSigma / sigma * x[i] + gain * (clean[i] + 0.5 * slope));
      }
      before = clean;
    }
    return x;
  }

  /** Karras et al. 2022, equation 5, ρ = 7, over the whole schedule. */
  private static double karras(NoiseSchedule s, int i, int steps) {
    double most = Math.pow(s.sigma(s.steps() - 1), 1 / 7.0);
    double least = Math.pow(s.sigma(0), 1 / 7.0);
    double share = steps == 1 ? 0 : i / (steps - 1.0);
    return Math.pow(most + share * (least - most), 7);
  }
}

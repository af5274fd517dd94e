package org.loranative.diffusion;

import java.util.Locale;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Samplers of a {@link NoiseSchedule}. Numbers as diffusers' schedulers of the same name give them
 * (DDIM: Song et al. 2021; Euler: Karras et al. 2022; DPM++ 2M: Lu et al. 2022).
 */
enum ScheduleSampler {
  DDIM,
  EULER,
  EULER_A,
  DPMPP_2M,
  DPMPP_2M_KARRAS;

  /** The sampler's name for users: {@code ddim}, {@code euler_a}, {@code dpmpp_2m_karras} … */
  String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  static Optional<ScheduleSampler> named(String label) {
    return Stream.of(values()).filter(s -> s.label().equals(label)).findFirst();
  }

  /** See {@link Sampler#sample}. */
  float[] sample(
      NoiseSchedule schedule,
      int steps,
      float[] start,
      Sampler.Predict predict,
      IntFunction<float[]> noise) {
    if (steps < 1 || steps > schedule.steps()) {
      throw new IllegalArgumentException(steps + " steps of " + schedule.steps());
    }
    Spacing spacing = schedule.spacing().orElse(ownSpacing());
    double[] timesteps = timesteps(schedule, spacing, steps);
    return switch (this) {
      case DDIM -> ddim(schedule, timesteps, start, predict);
      case EULER -> euler(schedule, spacing, timesteps, start, predict, Optional.empty());
      case EULER_A -> euler(schedule, spacing, timesteps, start, predict, Optional.of(noise));
      case DPMPP_2M -> {
        double[] sigmas = DoubleStream.of(timesteps).map(schedule::sigmaAt).toArray();
        yield dpm(schedule, timesteps, sigmas, start, predict);
      }
      case DPMPP_2M_KARRAS -> {
        double[] sigmas = karras(schedule, steps);
        double[] nearest =
            DoubleStream.of(sigmas).map(x -> Math.rint(schedule.timestepOf(x))).toArray();
        yield dpm(schedule, nearest, sigmas, start, predict);
      }
    };
  }

  /** The spacing that diffusers' scheduler of this name has where a model's config names none. */
  private Spacing ownSpacing() {
    return this == DDIM ? Spacing.LEADING : Spacing.LINSPACE;
  }

  /** The steps' timesteps, the noisiest first. */
  private double[] timesteps(NoiseSchedule s, Spacing spacing, int steps) {
    // DPM++ spreads one step more and leaves out the least noisy.
    int more = this == DPMPP_2M || this == DPMPP_2M_KARRAS ? 1 : 0;
    double last = s.steps() - 1;
    double[] timesteps = new double[steps];
    for (int i = 0; i < steps; i++) {
      int place = steps - 1 - i + more; // counted from the least noisy
      int intervals = steps - 1 + more;
      timesteps[i] =
          switch (spacing) {
            case LEADING -> place * (s.steps() / (steps + more)) + s.stepsOffset();
            case LINSPACE -> intervals == 0 ? 0 : place * last / intervals;
            case TRAILING -> Math.rint(s.steps() - i * (s.steps() / (double) steps)) - 1;
          };
      boolean between = this == EULER || this == EULER_A; // Euler's may lie between two of training
      timesteps[i] = Math.min(between ? timesteps[i] : Math.rint(timesteps[i]), last);
    }
    return timesteps;
  }

  private static float[] ddim(
      NoiseSchedule s, double[] timesteps, float[] start, Sampler.Predict predict) {
    float[] x = start.clone();
    int ratio = s.steps() / timesteps.length;
    boolean velocity = s.prediction() == Prediction.V_PREDICTION;
    for (double timestep : timesteps) {
      int t = (int) timestep;
      float[] output = predict.apply(x, t);
      double alpha = s.alpha(t);
      double next = t - ratio >= 0 ? s.alpha(t - ratio) : s.alphaOneAtEnd() ? 1 : s.alpha(0);
      double signal = Math.sqrt(alpha);
      double noise = Math.sqrt(1 - alpha);
      for (int i = 0; i < x.length; i++) {
        double clean =
            velocity
                ? signal * x[i] - noise * output[i]
                : x[i] * Math.sqrt(1 + s.sigma(t) * s.sigma(t)) - s.sigma(t) * output[i];
        double epsilon = velocity ? signal * output[i] + noise * x[i] : output[i];
        x[i] = (float) (Math.sqrt(next) * clean + Math.sqrt(1 - next) * epsilon);
      }
    }
    return x;
  }

  private static float[] euler(
      NoiseSchedule s,
      Spacing spacing,
      double[] timesteps,
      float[] start,
      Sampler.Predict predict,
      Optional<IntFunction<float[]>> noise) {
    int steps = timesteps.length;
    double first = s.sigmaAt(timesteps[0]);
    // As diffusers: where the steps begin below the last timestep, its signal is missed.
    float[] x = scaled(start, spacing == Spacing.LEADING ? Math.hypot(first, 1) : first);
    for (int step = 0; step < steps; step++) {
      double sigma = s.sigmaAt(timesteps[step]);
      double next = step + 1 < steps ? s.sigmaAt(timesteps[step + 1]) : 0;
      double scale = Math.hypot(sigma, 1);
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
            s.prediction() == Prediction.V_PREDICTION
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
      NoiseSchedule s,
      double[] timesteps,
      double[] sigmas,
      float[] start,
      Sampler.Predict predict) {
    boolean velocity = s.prediction() == Prediction.V_PREDICTION;
    int steps = timesteps.length;
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
                (velocity ? alpha * x[i] - sigma * output[i] : (x[i] - sigma * output[i]) / alpha);
      }
      double following = step + 1 < steps ? sigmas[step + 1] : 0; // the last is a clean image
      double nextAlpha = 1 / Math.sqrt(following * following + 1);
      double nextSigma = following * nextAlpha;
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

  /** Sigmas of Karras et al. 2022, equation 5, ρ = 7, over the whole schedule. */
  private static double[] karras(NoiseSchedule s, int steps) {
    double most = Math.pow(s.sigma(s.steps() - 1), 1 / 7.0);
    double least = Math.pow(s.sigma(0), 1 / 7.0);
    return IntStream.range(0, steps)
        .mapToDouble(i -> steps == 1 ? 0 : i / (steps - 1.0))
        .map(share -> Math.pow(most + share * (least - most), 7))
        .toArray();
  }
}

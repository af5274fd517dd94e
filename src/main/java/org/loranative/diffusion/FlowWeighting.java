package org.loranative.diffusion;

import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** How much the loss of flow matching counts at σ (Esser et al. 2024, section 3.1). */
public enum FlowWeighting {
  NONE {
    @Override
    double at(double sigma) {
      return 1;
    }
  },
  /** σ⁻²: what the loss of predicted noise is. */
  SIGMA_SQRT {
    @Override
    double at(double sigma) {
      double bounded = Math.max(sigma, LEAST_SIGMA);
      return 1 / (bounded * bounded);
    }
  },
  /** 2 / (π (1 − 2σ + 2σ²)): what a cosine schedule is. */
  COSMAP {
    @Override
    double at(double sigma) {
      return 2 / (Math.PI * (1 - 2 * sigma + 2 * sigma * sigma));
    }
  };

  /** The first of a thousand timesteps. */
  private static final double LEAST_SIGMA = 1e-3;

  abstract double at(double sigma);

  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  public static Optional<FlowWeighting> named(String label) {
    return Stream.of(values()).filter(s -> s.label().equals(label)).findFirst();
  }
}

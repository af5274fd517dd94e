package org.loranative.diffusion;

/**
 * How far σ of flow matching is moved towards noise, to sσ / (1 + (s − 1)σ): larger images need
 * more of it (Esser et al. 2024, equation 23).
 */
public sealed interface FlowShift {

  /**
   * s of an image.
   *
   * @param latents height times width of its latents
   */
  double of(long latents);

  /** σ of such an image, shifted. */
  default double shifted(double sigma, long latents) {
    double s = of(latents);
    return s * sigma / (1 + (s - 1) * sigma);
  }

  /** The same for every image. */
  record Constant(double value) implements FlowShift {
    @Override
    public double of(long latents) {
      return value;
    }
  }

  /**
   * e to a number that rises in a line with an image's tokens, of 2 × 2 latents each (Black Forest
   * Labs' FLUX).
   *
   * @param base the number of an image of {@code fewTokens}; {@code most} of {@code manyTokens}
   */
  record BySize(double base, double most, int fewTokens, int manyTokens) implements FlowShift {
    /** FLUX.1's. */
    public static final BySize FLUX = new BySize(0.5, 1.15, 256, 4096);

    private static final double LATENTS_OF_TOKEN = 4;

    @Override
    public double of(long latents) {
      double slope = (most - base) / (manyTokens - fewTokens);
      return Math.exp(base + slope * (latents / LATENTS_OF_TOKEN - fewTokens));
    }
  }
}

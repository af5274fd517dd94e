package org.loranative.train;

import java.nio.file.Path;
import java.util.List;
import org.loranative.data.sd.Buckets;

/**
 * An image as training reads it.
 *
 * @param file where it came from
 * @param size it was brought to
 * @param variants its crops, of which each batch draws one
 * @param weight of its loss
 */
record EncodedImage(
    Path file, Buckets.Size size, List<Variant> variants, String caption, double weight) {

  /**
   * A crop.
   *
   * @param moments mean and log-variance of its latents [h·w, 2 channels]
   * @param channels of the latents
   * @param told what SDXL is told: original height and width, crop, target height and width
   */
  record Variant(float[] moments, int channels, float[] told) {
    /** Element {@code k} of latents [h·w, channels] drawn with a standard normal number. */
    double latent(int k, float normal) {
      int pixel = k / channels * 2 * channels;
      double logVariance = moments[pixel + channels + k % channels];
      return mean(k) + Math.exp(0.5 * Math.min(20, Math.max(-30, logVariance))) * normal;
    }

    /** The same without the draw. */
    double mean(int k) {
      return moments[k / channels * 2 * channels + k % channels];
    }
  }
}

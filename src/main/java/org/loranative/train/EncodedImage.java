package org.loranative.train;

import java.nio.file.Path;
import org.loranative.data.sd.Buckets;

/**
 * An image as training reads it.
 *
 * @param file where it came from
 * @param size it was brought to
 * @param moments mean and log-variance of its latents [h·w, 2 channels]
 * @param channels of the latents
 * @param sizes what SDXL is told: original height and width, crop, target height and width
 */
record EncodedImage(
    Path file, Buckets.Size size, float[] moments, int channels, String caption, float[] sizes) {

  /** Element {@code k} of latents [h·w, channels] drawn with a standard normal number. */
  double latent(int k, float normal) {
    int pixel = k / channels * 2 * channels;
    double mean = moments[pixel + k % channels];
    double logVariance = moments[pixel + channels + k % channels];
    return mean + Math.exp(0.5 * Math.min(20, Math.max(-30, logVariance))) * normal;
  }
}

package org.loranative.train.diffusion;

import org.loranative.model.diffusion.Framing;

/**
 * A crop of an image as training reads it.
 *
 * @param moments mean and log-variance of its latents [h·w, 2 channels]
 * @param channels of the latents
 * @param framing what denoisers may be told of it
 * @param mask the share of each place [h·w] that is learnt; empty: all of it
 */
record EncodedCrop(float[] moments, int channels, Framing framing, float[] mask) {
  /** How much of place {@code i} of the latents is learnt. */
  float share(int i) {
    return mask.length == 0 ? 1 : mask[i];
  }

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

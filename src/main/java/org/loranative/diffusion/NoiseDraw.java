package org.loranative.diffusion;

import org.loranative.random.Philox;

/**
 * The noise of training batches: a function of the seed and the batch's place alone.
 *
 * @param offset size of a shift that all pixels of a channel share (Guttenberg 2023)
 * @param iterations coarser layers of noise that are added (Whitaker 2023), 0 for none
 * @param discount of each coarser layer
 */
public record NoiseDraw(long seed, double offset, int iterations, double discount) {

  /**
   * Noise of a batch [images, height·width, channels].
   *
   * @param epoch and index name the batch
   */
  public float[] draw(int images, int height, int width, int channels, int epoch, int index) {
    int each = height * width * channels;
    float[] noise = Philox.normals(images * each, seed, Philox.NOISE, epoch, index);
    if (offset > 0) {
      float[] shift = Philox.normals(images * channels, seed, Philox.NOISE_OFFSET, epoch, index);
      for (int i = 0; i < noise.length; i++) {
        noise[i] += (float) (offset * shift[i / each * channels + i % channels]);
      }
    }
    for (int i = 0; i < images && iterations > 0; i++) {
      addCoarser(noise, i, height, width, channels, epoch, index);
    }
    return noise;
  }

  /** Pyramid noise: each layer 2 to 4 times coarser, enlarged bilinearly; then variance 1 again. */
  private void addCoarser(
      float[] noise, int image, int height, int width, int channels, int epoch, int index) {
    int each = height * width * channels;
    int start = image * each;
    double factor = 1;
    for (int layer = 1; layer <= iterations; layer++) {
      int key = image * 64 + layer;
      int[] words = Philox.words(seed, key, Philox.NOISE_LAYERS, epoch, index);
      factor *= 2 + 2 * Philox.uniform(words[0]);
      int h = Math.max(1, (int) (height / factor));
      int w = Math.max(1, (int) (width / factor));
      float[] coarse =
          Philox.normals(h * w * channels, seed, Philox.NOISE_LAYERS + key, epoch, index);
      double weight = Math.pow(discount, layer);
      for (int y = 0; y < height; y++) {
        double v = Math.min(h - 1, Math.max(0, (y + 0.5) * h / height - 0.5));
        for (int x = 0; x < width; x++) {
          double u = Math.min(w - 1, Math.max(0, (x + 0.5) * w / width - 0.5));
          for (int c = 0; c < channels; c++) {
            noise[start + (y * width + x) * channels + c] +=
                (float) (weight * bilinear(coarse, w, h, channels, u, v, c));
          }
        }
      }
      if (h == 1 || w == 1) {
        break;
      }
    }
    double sum = 0;
    double squares = 0;
    for (int i = start; i < start + each; i++) {
      sum += noise[i];
      squares += noise[i] * noise[i];
    }
    double deviation = Math.sqrt((squares - sum * sum / each) / (each - 1));
    for (int i = start; i < start + each; i++) {
      noise[i] /= (float) deviation;
    }
  }

  private static double bilinear(
      float[] image, int width, int height, int channels, double u, double v, int c) {
    int x0 = (int) u;
    int y0 = (int) v;
    int x1 = Math.min(x0 + 1, width - 1);
    int y1 = Math.min(y0 + 1, height - 1);
    double across = u - x0;
    double down = v - y0;
    double top =
        image[(y0 * width + x0) * channels + c] * (1 - across)
            + image[(y0 * width + x1) * channels + c] * across;
    double bottom =
        image[(y1 * width + x0) * channels + c] * (1 - across)
            + image[(y1 * width + x1) * channels + c] * across;
    return top * (1 - down) + bottom * down;
  }
}

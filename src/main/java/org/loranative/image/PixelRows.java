package org.loranative.image;

import java.awt.Color;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;

/**
 * Rows of a decoded image as red, green and blue in [0, 1]. Samples are taken as they are stored:
 * colour profiles are not applied, as PIL does not.
 */
final class PixelRows {
  private final BufferedImage image;
  private final ColorModel model;
  private final boolean stored;
  private final float[] paper;
  private final float[] rgb;
  private final int[] samples;
  private final boolean opacity;

  /**
   * @param opacity whether rows are how opaque the image is, in the place of each colour
   */
  PixelRows(BufferedImage image, Color background, boolean opacity) {
    this.opacity = opacity;
    this.image = image;
    model = image.getColorModel();
    int type = model.getColorSpace().getType();
    stored =
        model instanceof ComponentColorModel
            && (type == ColorSpace.TYPE_GRAY || type == ColorSpace.TYPE_RGB);
    paper = background.getRGBColorComponents(null);
    rgb = new float[image.getWidth() * 3];
    samples = new int[image.getWidth() * (stored ? image.getRaster().getNumBands() : 1)];
  }

  /** The row, in an array that the next one will use again. */
  float[] row(int y) {
    if (stored) {
      stored(y);
    } else {
      packed(y);
    }
    return rgb;
  }

  private void packed(int y) {
    image.getRGB(0, y, image.getWidth(), 1, samples, 0, image.getWidth());
    for (int x = 0; x < samples.length; x++) {
      float alpha = (samples[x] >>> 24) / 255f;
      for (int c = 0; c < 3; c++) {
        put(x, c, (samples[x] >>> 16 - 8 * c & 255) / 255f, alpha);
      }
    }
  }

  /** Of pixels whose samples lie side by side. */
  private void stored(int y) {
    image.getRaster().getPixels(0, y, image.getWidth(), 1, samples);
    int bands = image.getRaster().getNumBands();
    boolean transparent = model.hasAlpha();
    int colours = bands - (transparent ? 1 : 0);
    for (int x = 0; x < image.getWidth(); x++) {
      float alpha = transparent ? sample(x, bands, colours) : 1;
      for (int c = 0; c < 3; c++) {
        float value = sample(x, bands, colours == 1 ? 0 : c);
        if (transparent && model.isAlphaPremultiplied() && alpha > 0) {
          value /= alpha;
        }
        put(x, c, value, alpha);
      }
    }
  }

  private void put(int x, int c, float value, float alpha) {
    rgb[3 * x + c] = opacity ? alpha : value * alpha + paper[c] * (1 - alpha);
  }

  private float sample(int x, int bands, int band) {
    return samples[x * bands + band] / (float) ((1L << model.getComponentSize(band)) - 1);
  }
}

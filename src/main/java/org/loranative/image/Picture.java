package org.loranative.image;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.loranative.io.AtomicFiles;

/**
 * An image of three channels.
 *
 * @param rgb [height·width·3], each in [0, 1]
 */
public record Picture(int width, int height, float[] rgb) {
  public Picture {
    if (rgb.length != width * height * 3) {
      throw new IllegalArgumentException(rgb.length + " numbers for " + width + " x " + height);
    }
  }

  /** Of numbers in about [−1, 1], as a model gives them; what lies beyond is cut. */
  public static Picture ofSigned(int width, int height, float[] signed) {
    float[] rgb = new float[signed.length];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = Math.min(1, Math.max(0, signed[i] / 2 + 0.5f));
    }
    return new Picture(width, height, rgb);
  }

  /** The image with 8 bits a channel. */
  public BufferedImage toBufferedImage() {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < width * height; i++) {
      int pixel = 0;
      for (int c = 0; c < 3; c++) {
        pixel = pixel << 8 | Math.round(rgb[i * 3 + c] * 255);
      }
      image.setRGB(i % width, i / width, pixel);
    }
    return image;
  }

  /** Writes a PNG, under a temporary name until it is whole. */
  public void writePng(Path file) throws IOException {
    AtomicFiles.write(
        file,
        out -> {
          if (!ImageIO.write(toBufferedImage(), "png", out)) {
            throw new IOException("this Java writes no PNG");
          }
        });
  }
}

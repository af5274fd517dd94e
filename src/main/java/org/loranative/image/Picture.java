package org.loranative.image;

import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
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

  /** Reads an image; what is transparent becomes white. See {@link ImageReading}. */
  public static Picture read(Path file) {
    return ImageReading.read(file, Color.WHITE);
  }

  /** Reads an image; what is transparent shows {@code background}. */
  public static Picture read(Path file, Color background) {
    return ImageReading.read(file, background);
  }

  /** Brought to a size that it covers, the middle kept. */
  public Picture covering(int toWidth, int toHeight) {
    return cut(Crop.middle(width, height, toWidth, toHeight));
  }

  /** Resampled and cut (Lanczos, as PIL resamples), and mirrored if the crop says so. */
  public Picture cut(Crop crop) {
    Picture scaled = Resampling.resize(this, crop.scaledWidth(), crop.scaledHeight());
    float[] cut = new float[crop.width() * crop.height() * 3];
    for (int y = 0; y < crop.height(); y++) {
      for (int x = 0; x < crop.width(); x++) {
        int from = crop.left() + (crop.mirrored() ? crop.width() - 1 - x : x);
        int source = ((y + crop.top()) * crop.scaledWidth() + from) * 3;
        System.arraycopy(scaled.rgb, source, cut, (y * crop.width() + x) * 3, 3);
      }
    }
    return new Picture(crop.width(), crop.height(), cut);
  }

  /** The numbers as a model takes them, in [−1, 1]. */
  public float[] signed() {
    float[] signed = new float[rgb.length];
    for (int i = 0; i < signed.length; i++) {
      signed[i] = 2 * rgb[i] - 1;
    }
    return signed;
  }

  /** The PNG file's bytes. */
  public byte[] png() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      ImageIO.write(toBufferedImage(), "png", out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
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
    byte[] bytes = png();
    AtomicFiles.write(file, out -> out.write(bytes));
  }
}

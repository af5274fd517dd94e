package org.loranative.image;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import javax.imageio.ImageIO;
import org.loranative.io.AtomicFiles;

/**
 * An image of three channels.
 *
 * @param rgb [height·width·3], each in [0, 1]
 */
public record Picture(int width, int height, float[] rgb) {
  public Picture {
    if (rgb.length != numbers(width, height)) {
      throw new IllegalArgumentException(rgb.length + " numbers for " + width + " x " + height);
    }
  }

  /** How many numbers an image of a size has. */
  static int numbers(int width, int height) {
    return Math.toIntExact((long) width * height * 3);
  }

  /** Reads an image at its own size; what is transparent becomes white. See {@link ImageFile}. */
  public static Picture read(Path file) {
    return ImageFile.open(file).whole();
  }

  /** Brought to a size that it covers, the middle kept. */
  public Picture covering(int toWidth, int toHeight) {
    return cut(Crop.middle(width, height, toWidth, toHeight));
  }

  /** Resampled and cut (Lanczos, as PIL resamples), and mirrored if the crop says so. */
  public Picture cut(Crop crop) {
    Resampling made = new Resampling(width, height, crop);
    for (int y = 0; y < height; y++) {
      made.row(y, Arrays.copyOfRange(rgb, y * width * 3, (y + 1) * width * 3));
    }
    return made.picture();
  }

  Picture mirrored() {
    float[] turned = new float[rgb.length];
    for (int i = 0; i < width * height; i++) {
      int from = i - i % width + width - 1 - i % width;
      System.arraycopy(rgb, from * 3, turned, i * 3, 3);
    }
    return new Picture(width, height, turned);
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

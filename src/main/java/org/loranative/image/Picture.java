package org.loranative.image;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.loranative.UserException;
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

  /**
   * Reads PNG, JPEG, BMP or GIF; what is transparent becomes white.
   *
   * @throws UserException if the file is no such image
   */
  public static Picture read(Path file) {
    BufferedImage image;
    try {
      image = ImageIO.read(file.toFile());
    } catch (IOException | RuntimeException e) {
      throw new UserException(file + " cannot be read as an image: " + e.getMessage(), e);
    }
    if (image == null) {
      throw new UserException(file + " is not an image that can be read (PNG, JPEG, BMP, GIF).");
    }
    BufferedImage white =
        new BufferedImage(image.getWidth(), image.getHeight(), BufferedImage.TYPE_INT_RGB);
    Graphics2D paper = white.createGraphics();
    paper.setColor(Color.WHITE);
    paper.fillRect(0, 0, image.getWidth(), image.getHeight());
    paper.drawImage(image, 0, 0, null);
    paper.dispose();
    float[] rgb = new float[image.getWidth() * image.getHeight() * 3];
    for (int i = 0; i < rgb.length; i++) {
      int pixel = white.getRGB(i / 3 % image.getWidth(), i / 3 / image.getWidth());
      rgb[i] = (pixel >> 16 - 8 * (i % 3) & 255) / 255f;
    }
    return new Picture(image.getWidth(), image.getHeight(), rgb);
  }

  /** Brought to a size that it covers, the middle kept (Lanczos, as PIL resamples). */
  public Picture covering(int toWidth, int toHeight) {
    double scale = Math.max((double) toWidth / width, (double) toHeight / height);
    int wide = Math.max(toWidth, (int) Math.round(width * scale));
    int high = Math.max(toHeight, (int) Math.round(height * scale));
    Picture scaled = Resampling.resize(this, wide, high);
    int left = (wide - toWidth) / 2;
    int top = (high - toHeight) / 2;
    float[] cut = new float[toWidth * toHeight * 3];
    for (int y = 0; y < toHeight; y++) {
      System.arraycopy(
          scaled.rgb, ((y + top) * wide + left) * 3, cut, y * toWidth * 3, toWidth * 3);
    }
    return new Picture(toWidth, toHeight, cut);
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

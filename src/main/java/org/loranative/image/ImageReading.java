package org.loranative.image;

import com.drew.imaging.ImageMetadataReader;
import com.drew.imaging.ImageProcessingException;
import com.drew.metadata.Metadata;
import com.drew.metadata.exif.ExifIFD0Directory;
import java.awt.Color;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;
import org.loranative.UserException;

/**
 * Reads PNG, JPEG (CMYK too), WebP, BMP or GIF, of 8 or 16 bits, gray or colour, upright as EXIF
 * says. Samples are taken as they are stored: colour profiles are not applied, as PIL does not.
 */
final class ImageReading {
  private static final long MOST_PIXELS = 1 << 27;

  private ImageReading() {}

  /**
   * @throws UserException if the file is no such image
   */
  static Picture read(Path file, Color background) {
    try {
      byte[] bytes = Files.readAllBytes(file);
      return upright(samples(decode(file, bytes), background), orientation(bytes));
    } catch (IOException | RuntimeException e) {
      if (e instanceof UserException u) {
        throw u;
      }
      throw new UserException(file + " cannot be read as an image: " + e.getMessage(), e);
    }
  }

  private static BufferedImage decode(Path file, byte[] bytes) throws IOException {
    try (ImageInputStream in = new Bytes(bytes)) {
      Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
      if (!readers.hasNext()) {
        throw new UserException(
            file + " is not an image that can be read (PNG, JPEG, WebP, BMP, GIF).");
      }
      ImageReader reader = readers.next();
      try {
        reader.setInput(in);
        // A damaged header must not ask for all memory.
        long pixels = (long) reader.getWidth(0) * reader.getHeight(0);
        if (pixels > MOST_PIXELS) {
          throw new UserException(
              file + " has " + pixels + " pixels; at most " + MOST_PIXELS + " are read.");
        }
        return reader.read(0);
      } finally {
        reader.dispose();
      }
    }
  }

  private static Picture samples(BufferedImage image, Color background) {
    int width = image.getWidth();
    int height = image.getHeight();
    float[] paper = background.getRGBColorComponents(null);
    float[] rgb = new float[width * height * 3];
    float[] pixel = new float[4];
    ColorModel model = image.getColorModel();
    int type = model.getColorSpace().getType();
    boolean stored =
        model instanceof ComponentColorModel
            && (type == ColorSpace.TYPE_GRAY || type == ColorSpace.TYPE_RGB);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        if (stored) {
          stored(image.getRaster(), model, x, y, pixel);
        } else {
          int argb = image.getRGB(x, y);
          for (int c = 0; c < 4; c++) {
            pixel[c] = (argb >>> (c == 3 ? 24 : 16 - 8 * c) & 255) / 255f;
          }
        }
        for (int c = 0; c < 3; c++) {
          rgb[(y * width + x) * 3 + c] = pixel[c] * pixel[3] + paper[c] * (1 - pixel[3]);
        }
      }
    }
    return new Picture(width, height, rgb);
  }

  /** Red, green, blue and opacity of a pixel whose samples lie side by side. */
  private static void stored(Raster raster, ColorModel model, int x, int y, float[] pixel) {
    boolean alpha = model.hasAlpha();
    int colours = raster.getNumBands() - (alpha ? 1 : 0);
    for (int c = 0; c < 3; c++) {
      pixel[c] = sample(raster, model, x, y, colours == 1 ? 0 : c);
    }
    pixel[3] = alpha ? sample(raster, model, x, y, colours) : 1;
    if (alpha && model.isAlphaPremultiplied() && pixel[3] > 0) {
      for (int c = 0; c < 3; c++) {
        pixel[c] /= pixel[3];
      }
    }
  }

  private static float sample(Raster raster, ColorModel model, int x, int y, int band) {
    return raster.getSample(x, y, band) / (float) ((1L << model.getComponentSize(band)) - 1);
  }

  /** EXIF's orientation, 1 for upright. */
  private static int orientation(byte[] bytes) throws IOException {
    try {
      Metadata metadata = ImageMetadataReader.readMetadata(new ByteArrayInputStream(bytes));
      for (ExifIFD0Directory exif : metadata.getDirectoriesOfType(ExifIFD0Directory.class)) {
        Integer value = exif.getInteger(ExifIFD0Directory.TAG_ORIENTATION);
        if (value != null) {
          return value;
        }
      }
    } catch (ImageProcessingException e) {
      return 1; // an image without metadata that could be understood
    }
    return 1;
  }

  /** EXIF: 2–4 mirror and turn by 180°, 5–8 swap the sides too. */
  private static Picture upright(Picture p, int orientation) {
    if (orientation < 2 || orientation > 8) {
      return p;
    }
    boolean swap = orientation >= 5;
    boolean fromRight =
        orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    boolean fromBottom =
        orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    int width = swap ? p.height() : p.width();
    int height = swap ? p.width() : p.height();
    float[] rgb = new float[p.rgb().length];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        int u = swap ? y : x;
        int v = swap ? x : y;
        u = fromRight ? p.width() - 1 - u : u;
        v = fromBottom ? p.height() - 1 - v : v;
        System.arraycopy(p.rgb(), (v * p.width() + u) * 3, rgb, (y * width + x) * 3, 3);
      }
    }
    return new Picture(width, height, rgb);
  }

  /** A file in memory. A decoder that asks again and again behind its end is stopped. */
  private static final class Bytes extends MemoryCacheImageInputStream {
    private static final int PATIENCE = 200_000;
    private static final int WORD = 8;

    private final long length;
    private int beyond;

    Bytes(byte[] bytes) {
      super(new ByteArrayInputStream(bytes));
      length = bytes.length;
    }

    /** Not an EOFException: decoders catch that, and go on for every pixel that is left. */
    private void atEnd() {
      if (++beyond > PATIENCE) {
        throw new IllegalStateException("it ends too early");
      }
    }

    @Override
    public long length() {
      return length;
    }

    @Override
    public int read() throws IOException {
      int value = super.read();
      if (value < 0) {
        atEnd();
      }
      return value;
    }

    @Override
    public int read(byte[] to, int offset, int count) throws IOException {
      int n = super.read(to, offset, count);
      if (n < 0) {
        atEnd();
      }
      return n;
    }

    @Override
    public void seek(long position) throws IOException {
      if (position > length - WORD) {
        atEnd();
      }
      super.seek(position);
    }
  }
}

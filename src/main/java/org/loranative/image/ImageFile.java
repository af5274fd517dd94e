package org.loranative.image;

import java.awt.Color;
import java.awt.Rectangle;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.stream.ImageInputStream;
import org.loranative.UserException;
import org.loranative.io.LfsPointer;

/**
 * An image on disk: PNG, JPEG (CMYK too), WebP, BMP or GIF, of 8 or 16 bits, gray or colour,
 * upright as EXIF says. Large ones are decoded in strips and brought to the sizes that are wanted
 * row by row, so that a photograph of 100 megapixels needs no more heap than one of 30. One that
 * ends too early is refused, as PIL does.
 */
public final class ImageFile {
  private static final long MOST_PIXELS = 1 << 27;

  /** Of a strip: 100 MB of 8-bit colours. */
  private static final int STRIP_PIXELS = 1 << 25;

  private final Path file;
  private final Color background;
  private final int storedWidth;
  private final int storedHeight;
  private final Orientation orientation;
  private final boolean opacity;

  private ImageFile(
      Path file,
      Color background,
      int storedWidth,
      int storedHeight,
      Orientation orientation,
      boolean opacity) {
    this.file = file;
    this.background = background;
    this.storedWidth = storedWidth;
    this.storedHeight = storedHeight;
    this.orientation = orientation;
    this.opacity = opacity;
  }

  /** What is transparent becomes white. */
  public static ImageFile open(Path file) {
    return open(file, Color.WHITE);
  }

  /**
   * Reads the head of a file.
   *
   * @param background that transparent parts show
   * @throws UserException if it is no such image
   */
  public static ImageFile open(Path file, Color background) {
    return named(
        file,
        () -> {
          Truncation.checkContainer(file);
          return reading(
              file,
              reader -> {
                int width = reader.getWidth(0);
                int height = reader.getHeight(0);
                // A damaged header must not ask for days.
                if ((long) width * height > MOST_PIXELS) {
                  throw new UserException(
                      String.format(
                          "%s has %d x %d pixels; at most %d million are read.",
                          file, width, height, MOST_PIXELS / 1_000_000));
                }
                return new ImageFile(file, background, width, height, Orientation.of(file), false);
              });
        });
  }

  /** Whether parts of it may be transparent. */
  public boolean hasOpacity() {
    return named(
        file,
        () ->
            reading(
                file,
                reader -> {
                  Iterator<ImageTypeSpecifier> types = reader.getImageTypes(0);
                  return types.hasNext() && types.next().getColorModel().hasAlpha();
                }));
  }

  /** How opaque it is, in each channel, in the place of its colours. */
  public ImageFile opacity() {
    return new ImageFile(file, background, storedWidth, storedHeight, orientation, true);
  }

  /** Upright. */
  public int width() {
    return orientation.swap() ? storedHeight : storedWidth;
  }

  public int height() {
    return orientation.swap() ? storedWidth : storedHeight;
  }

  /** At its own size. */
  public Picture whole() {
    return cut(List.of(Crop.whole(width(), height()))).get(0);
  }

  /** All of it, smaller if a side would be longer than {@code most}. */
  public Crop within(int most) {
    int longest = Math.max(width(), height());
    double scale = Math.min(1, (double) most / longest);
    return Crop.whole(
        (int) Math.max(1, Math.round(width() * scale)),
        (int) Math.max(1, Math.round(height() * scale)));
  }

  /** The middle at a size, see {@link Crop#middle}. */
  public Picture covering(int toWidth, int toHeight) {
    return cut(List.of(Crop.middle(width(), height(), toWidth, toHeight))).get(0);
  }

  /** Decodes the file once and makes every crop of it. */
  public List<Picture> cut(List<Crop> crops) {
    return cut(crops, STRIP_PIXELS);
  }

  List<Picture> cut(List<Crop> crops, int stripPixels) {
    return named(
        file,
        () -> {
          Map<Crop, Resampling> made = new LinkedHashMap<>();
          crops.forEach(
              c ->
                  made.computeIfAbsent(
                      c.unmirrored(),
                      k -> new Resampling(storedWidth, storedHeight, orientation.stored(k))));
          decode(made, Math.max(1, stripPixels / storedWidth));
          Map<Crop, Picture> pictures = new LinkedHashMap<>();
          made.forEach((c, r) -> pictures.put(c, orientation.upright(r.picture())));
          return crops.stream()
              .map(
                  c ->
                      c.mirrored()
                          ? pictures.get(c.unmirrored()).mirrored()
                          : pictures.get(c.unmirrored()))
              .toList();
        });
  }

  private void decode(Map<Crop, Resampling> made, int stripRows) throws IOException {
    for (int top = 0; top < storedHeight; top += stripRows) {
      int first = top;
      int rows = Math.min(stripRows, storedHeight - top);
      BufferedImage strip = reading(file, reader -> strip(reader, first, rows));
      PixelRows pixels = new PixelRows(strip, background, opacity);
      for (int y = 0; y < rows; y++) {
        float[] row = pixels.row(y);
        for (Resampling r : made.values()) {
          r.row(top + y, row);
        }
      }
    }
  }

  private BufferedImage strip(ImageReader reader, int top, int rows) throws IOException {
    List<String> warnings = new ArrayList<>();
    reader.addIIOReadWarningListener((source, warning) -> warnings.add(warning));
    ImageReadParam part = reader.getDefaultReadParam();
    if (rows < storedHeight) {
      part.setSourceRegion(new Rectangle(0, top, storedWidth, rows));
    }
    BufferedImage strip = reader.read(0, part);
    Truncation.check(warnings);
    return strip;
  }

  private interface Reading<T> {
    T with(ImageReader reader) throws IOException;
  }

  private static <T> T reading(Path file, Reading<T> reading) throws IOException {
    try (ImageInputStream in = new GuardedFile(file)) {
      Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
      if (!readers.hasNext()) {
        LfsPointer.refuse(file);
        throw new UserException(
            file + " is not an image that can be read (PNG, JPEG, WebP, BMP, GIF).");
      }
      ImageReader reader = readers.next();
      try {
        reader.setInput(in);
        return reading.with(reader);
      } finally {
        reader.dispose();
      }
    }
  }

  private interface Work<T> {
    T run() throws IOException;
  }

  /** Runs what may fail in any way that decoders know; every failure names the file. */
  private static <T> T named(Path file, Work<T> work) {
    try {
      return work.run();
    } catch (UserException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      LfsPointer.refuse(file);
      throw new UserException(
          file + " cannot be read as an image: " + UserException.reason(e) + ".", e);
    } catch (OutOfMemoryError e) {
      throw new UserException(
          String.format(
              "%s is too large for Java's heap of %d MB; give it more (java -Xmx4g -jar …) or make"
                  + " the image smaller.",
              file, Runtime.getRuntime().maxMemory() >> 20),
          e);
    }
  }
}

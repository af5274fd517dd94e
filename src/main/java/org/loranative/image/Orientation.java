package org.loranative.image;

import com.drew.imaging.ImageMetadataReader;
import com.drew.imaging.ImageProcessingException;
import com.drew.metadata.Metadata;
import com.drew.metadata.exif.ExifIFD0Directory;
import java.io.IOException;
import java.nio.file.Path;

/**
 * How a camera was held, as EXIF says: 1 upright, 2–4 mirrored and turned by 180°, 5–8 with the
 * sides swapped too.
 *
 * @param swap rows and columns
 */
record Orientation(boolean swap, boolean fromRight, boolean fromBottom) {
  static final Orientation UPRIGHT = new Orientation(false, false, false);

  static Orientation of(Path file) throws IOException {
    try {
      Metadata metadata = ImageMetadataReader.readMetadata(file.toFile());
      for (ExifIFD0Directory exif : metadata.getDirectoriesOfType(ExifIFD0Directory.class)) {
        Integer value = exif.getInteger(ExifIFD0Directory.TAG_ORIENTATION);
        if (value != null) {
          return numbered(value);
        }
      }
    } catch (ImageProcessingException e) {
      return UPRIGHT; // an image without metadata that could be understood
    }
    return UPRIGHT;
  }

  private static Orientation numbered(int n) {
    return n < 2 || n > 8
        ? UPRIGHT
        : new Orientation(
            n >= 5, n == 2 || n == 3 || n == 7 || n == 8, n == 3 || n == 4 || n == 6 || n == 7);
  }

  /** A crop of the upright image as one of the image that is stored. */
  Crop stored(Crop c) {
    long wide = swap ? c.scaledHeight() : c.scaledWidth();
    long high = swap ? c.scaledWidth() : c.scaledHeight();
    int width = swap ? c.height() : c.width();
    int height = swap ? c.width() : c.height();
    long left = swap ? c.top() : c.left();
    long top = swap ? c.left() : c.top();
    return new Crop(
        wide,
        high,
        fromRight ? wide - left - width : left,
        fromBottom ? high - top - height : top,
        width,
        height,
        false);
  }

  Picture upright(Picture p) {
    if (equals(UPRIGHT)) {
      return p;
    }
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
}

package org.loranative.image;

/**
 * How an image is brought to a size: resampled so that it covers it, cut, perhaps mirrored.
 *
 * @param left of the part that is kept, in pixels of the resampled image; top likewise
 */
public record Crop(
    long scaledWidth,
    long scaledHeight,
    long left,
    long top,
    int width,
    int height,
    boolean mirrored) {

  /** The middle of an image, at the smallest size that covers {@code width} × {@code height}. */
  public static Crop middle(int fromWidth, int fromHeight, int width, int height) {
    double scale = Math.max((double) width / fromWidth, (double) height / fromHeight);
    long wide = Math.max(width, Math.round(fromWidth * scale));
    long high = Math.max(height, Math.round(fromHeight * scale));
    return new Crop(wide, high, (wide - width) / 2, (high - height) / 2, width, height, false);
  }

  /** All of an image, brought to a size. */
  public static Crop whole(int width, int height) {
    return new Crop(width, height, 0, 0, width, height, false);
  }

  /**
   * Another place of the same image.
   *
   * @param across where between the left (0) and the right (1) end; down likewise
   */
  public Crop at(double across, double down) {
    long x = (long) Math.min(scaledWidth - width, across * (scaledWidth - width + 1));
    long y = (long) Math.min(scaledHeight - height, down * (scaledHeight - height + 1));
    return new Crop(scaledWidth, scaledHeight, x, y, width, height, mirrored);
  }

  public Crop mirroredToo() {
    return new Crop(scaledWidth, scaledHeight, left, top, width, height, true);
  }

  Crop unmirrored() {
    return new Crop(scaledWidth, scaledHeight, left, top, width, height, false);
  }
}

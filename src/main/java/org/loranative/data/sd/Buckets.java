package org.loranative.data.sd;

import java.util.ArrayList;
import java.util.List;

/**
 * Sizes that images are brought to: sides are multiples of a step, the area is at most that of the
 * square of the resolution.
 */
public final class Buckets {
  /** Pixels. */
  public record Size(int width, int height) {
    @Override
    public String toString() {
      return width + "x" + height;
    }
  }

  private final int resolution;
  private final List<Size> sizes = new ArrayList<>();

  /**
   * @param step of the sides; a resolution below it is the only size
   */
  public Buckets(int resolution, int step) {
    this.resolution = resolution;
    int unit = Math.min(step, resolution);
    long area = (long) resolution * resolution;
    int square = resolution / unit * unit;
    sizes.add(new Size(square, square)); // also where the resolution is no multiple of the step
    for (int width = unit; width <= 2 * resolution; width += unit) {
      int height = (int) Math.min(2L * resolution, area / width) / unit * unit;
      if (height >= unit) {
        sizes.add(new Size(width, height));
      }
    }
  }

  int resolution() {
    return resolution;
  }

  /** The size whose ratio of sides is nearest, the larger of two. */
  public Size nearest(int width, int height) {
    double ratio = Math.log((double) width / height);
    Size best = sizes.get(0);
    for (Size s : sizes) {
      double distance = Math.abs(Math.log((double) s.width() / s.height()) - ratio);
      double least = Math.abs(Math.log((double) best.width() / best.height()) - ratio);
      boolean larger = s.width() * s.height() > best.width() * best.height();
      if (distance < least - 1e-9 || Math.abs(distance - least) <= 1e-9 && larger) {
        best = s;
      }
    }
    return best;
  }
}

package org.loranative.image;

/**
 * Lanczos resampling, first along rows, then along columns, as PIL does it. The image comes row by
 * row and only the part that is kept is made, so neither a large image nor one that is enlarged
 * much takes more memory than its crop.
 */
final class Resampling {
  private static final double SUPPORT = 3;

  /** The weights of one output: source pixels from {@code first} on. */
  private record Taps(int first, float[] weights) {
    int end() {
      return first + weights.length;
    }
  }

  private final Crop crop;
  private final Taps[] columns;
  private final Taps[] rows;
  private final float[] made;
  private final float[] line;

  /** The first row of the result that later rows of the source may still add to. */
  private int open;

  Resampling(int fromWidth, int fromHeight, Crop crop) {
    this.crop = crop;
    columns = taps(crop.left(), crop.width(), fromWidth, crop.scaledWidth());
    rows = taps(crop.top(), crop.height(), fromHeight, crop.scaledHeight());
    made = new float[Picture.numbers(crop.width(), crop.height())];
    line = new float[crop.width() * 3];
  }

  private static Taps[] taps(long start, int count, int from, long to) {
    Taps[] taps = new Taps[count];
    for (int i = 0; i < count; i++) {
      taps[i] =
          from == to ? new Taps((int) (start + i), new float[] {1}) : taps(start + i, from, to);
    }
    return taps;
  }

  /** Takes a row of the source; all are given, from the top to the bottom. */
  void row(int y, float[] rgb) {
    while (open < rows.length && rows[open].end() <= y) {
      open++;
    }
    if (open == rows.length || rows[open].first > y) {
      return;
    }
    along(rgb);
    for (int i = open; i < rows.length && rows[i].first <= y; i++) {
      float weight = rows[i].weights[y - rows[i].first];
      int target = i * line.length;
      for (int k = 0; k < line.length; k++) {
        made[target + k] += weight * line[k];
      }
    }
  }

  private void along(float[] rgb) {
    for (int i = 0; i < columns.length; i++) {
      float[] weights = columns[i].weights;
      int source = columns[i].first * 3;
      float red = 0;
      float green = 0;
      float blue = 0;
      for (float w : weights) {
        red += w * rgb[source];
        green += w * rgb[source + 1];
        blue += w * rgb[source + 2];
        source += 3;
      }
      line[3 * i] = red;
      line[3 * i + 1] = green;
      line[3 * i + 2] = blue;
    }
  }

  /** The crop, once all rows are in. */
  Picture picture() {
    for (int i = 0; i < made.length; i++) {
      made[i] = Math.min(1, Math.max(0, made[i])); // Lanczos overshoots at edges
    }
    Picture picture = new Picture(crop.width(), crop.height(), made);
    return crop.mirrored() ? picture.mirrored() : picture;
  }

  private static Taps taps(long i, int from, long to) {
    double scale = (double) from / to;
    double filter = Math.max(scale, 1); // shrinking averages over what falls together
    double centre = (i + 0.5) * scale;
    int first = Math.max(0, (int) (centre - SUPPORT * filter + 0.5));
    int end = Math.min(from, (int) (centre + SUPPORT * filter + 0.5));
    float[] weights = new float[end - first];
    double sum = 0;
    for (int t = 0; t < weights.length; t++) {
      double w = lanczos((t + first - centre + 0.5) / filter);
      weights[t] = (float) w;
      sum += w;
    }
    for (int t = 0; t < weights.length; t++) {
      weights[t] /= (float) sum;
    }
    return new Taps(first, weights);
  }

  private static double lanczos(double x) {
    if (Math.abs(x) >= SUPPORT) {
      return 0;
    }
    return sinc(x) * sinc(x / SUPPORT);
  }

  private static double sinc(double x) {
    return x == 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
  }
}

package org.loranative.image;

/** Lanczos resampling, first along rows, then along columns, as PIL does it. */
final class Resampling {
  private static final double SUPPORT = 3;

  private Resampling() {}

  /** The weights of one output: source pixels from {@code first} on. */
  private record Taps(int first, float[] weights) {}

  static Picture resize(Picture p, int width, int height) {
    float[] rows = p.rgb();
    if (width != p.width()) {
      rows = along(rows, p.height(), p.width(), width, 3);
    }
    if (height != p.height()) {
      rows = along(rows, 1, p.height(), height, width * 3);
    }
    float[] cut = rows.clone();
    for (int i = 0; i < cut.length; i++) {
      cut[i] = Math.min(1, Math.max(0, cut[i])); // Lanczos overshoots at edges
    }
    return new Picture(width, height, cut);
  }

  /** Resamples the middle dimension of [outer, from, inner]. */
  private static float[] along(float[] x, int outer, int from, int to, int inner) {
    Taps[] taps = new Taps[to];
    for (int i = 0; i < to; i++) {
      taps[i] = taps(i, from, to);
    }
    float[] y = new float[outer * to * inner];
    for (int o = 0; o < outer; o++) {
      for (int i = 0; i < to; i++) {
        for (int t = 0; t < taps[i].weights.length; t++) {
          int source = (o * from + taps[i].first + t) * inner;
          int target = (o * to + i) * inner;
          for (int k = 0; k < inner; k++) {
            y[target + k] += taps[i].weights[t] * x[source + k];
          }
        }
      }
    }
    return y;
  }

  private static Taps taps(int i, int from, int to) {
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

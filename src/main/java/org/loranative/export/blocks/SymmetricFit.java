package org.loranative.export.blocks;

/**
 * The scale d for which the whole multiples d·q of a few bits are nearest to some numbers, by least
 * squares: each of some scales about that of the largest number says which q are nearest, and those
 * say which scale is best for them.
 */
final class SymmetricFit {
  private static final int TRIES = 9;

  private SymmetricFit() {}

  /**
   * @param most q goes from -most to most - 1
   * @return d, 0 where all numbers are
   */
  static float scale(float[] x, int from, int n, int most) {
    float largest = 0;
    for (int i = from; i < from + n; i++) {
      largest = Math.abs(x[i]) > Math.abs(largest) ? x[i] : largest;
    }
    if (largest == 0) {
      return 0;
    }
    float best = 0;
    double gain = 0;
    for (int t = -TRIES; t <= TRIES; t++) {
      float inverse = -(most + 0.1f * t) / largest; // the largest takes the side that has one more
      double xq = 0;
      double qq = 0;
      for (int i = from; i < from + n; i++) {
        int q = nearest(x[i] * inverse, -most, most - 1);
        xq += x[i] * q;
        qq += q * q;
      }
      if (qq > 0 && xq * xq > gain * qq) {
        gain = xq * xq / qq;
        best = (float) (xq / qq);
      }
    }
    return best;
  }

  static int nearest(float x, int least, int most) {
    return Math.max(least, Math.min(most, Math.round(x)));
  }
}

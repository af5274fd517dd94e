package org.loranative.data.sd;

import java.util.Arrays;
import java.util.List;
import org.loranative.image.Picture;

/**
 * What the checks need to know of an image.
 *
 * @param width as the file has it, upright; height likewise
 * @param sha256 of the file
 * @param look 256 bits: whether each of 16 × 16 patches is lighter than its right neighbour
 * @param tint its mean red, green and blue in 0–255
 * @param sharpness variance of the Laplacian of its luminance in 0–255, at the trained size
 */
public record ImageFacts(
    int width, int height, String sha256, String look, List<Double> tint, double sharpness) {
  private static final int PATCHES = 16;

  /** Longest side of what the look is taken of. */
  static final int LOOKED_AT = 512;

  /** How far two copies of a picture may be apart: bits of 256, and steps of a mean colour. */
  private static final int SAME_LOOK = 6;

  private static final double SAME_TINT = 6;

  public ImageFacts {
    if (sha256 == null || look == null || look.length() != 64 || tint == null || tint.size() != 3) {
      throw new IllegalArgumentException("facts of an image that are not whole");
    }
    tint = List.copyOf(tint);
  }

  /**
   * @param width of the file, upright; height likewise
   * @param whole all of it, perhaps smaller
   * @param cut as training sees it
   */
  public static ImageFacts of(int width, int height, Picture whole, Picture cut, String sha256) {
    return new ImageFacts(width, height, sha256, look(whole), tint(cut), sharpness(cut));
  }

  private static List<Double> tint(Picture p) {
    double[] sums = new double[3];
    for (int i = 0; i < p.rgb().length; i++) {
      sums[i % 3] += p.rgb()[i];
    }
    return Arrays.stream(sums).map(s -> s * 255 / p.width() / p.height()).boxed().toList();
  }

  private static float luminance(Picture p, int x, int y) {
    int i = (y * p.width() + x) * 3;
    return 255 * (0.299f * p.rgb()[i] + 0.587f * p.rgb()[i + 1] + 0.114f * p.rgb()[i + 2]);
  }

  /** A difference hash (Krawetz 2013), as hexadecimal digits. */
  private static String look(Picture p) {
    double[][] mean = new double[PATCHES][PATCHES + 1];
    for (int row = 0; row < PATCHES; row++) {
      for (int column = 0; column <= PATCHES; column++) {
        int x0 = column * p.width() / (PATCHES + 1);
        int x1 = Math.max(x0 + 1, (column + 1) * p.width() / (PATCHES + 1));
        int y0 = row * p.height() / PATCHES;
        int y1 = Math.max(y0 + 1, (row + 1) * p.height() / PATCHES);
        double sum = 0;
        for (int y = y0; y < Math.min(y1, p.height()); y++) {
          for (int x = x0; x < Math.min(x1, p.width()); x++) {
            sum += luminance(p, x, y);
          }
        }
        mean[row][column] = sum / ((x1 - x0) * (y1 - y0));
      }
    }
    StringBuilder hex = new StringBuilder();
    for (int row = 0; row < PATCHES; row++) {
      int bits = 0;
      for (int column = 0; column < PATCHES; column++) {
        // Beyond the noise of compression, so that flat areas do not differ by chance.
        bits = bits << 1 | (mean[row][column] > mean[row][column + 1] + 1 ? 1 : 0);
      }
      hex.append(String.format("%04x", bits));
    }
    return hex.toString();
  }

  private static double sharpness(Picture p) {
    double sum = 0;
    double squares = 0;
    int n = 0;
    for (int y = 1; y < p.height() - 1; y++) {
      for (int x = 1; x < p.width() - 1; x++) {
        double laplacian =
            luminance(p, x - 1, y)
                + luminance(p, x + 1, y)
                + luminance(p, x, y - 1)
                + luminance(p, x, y + 1)
                - 4 * luminance(p, x, y);
        sum += laplacian;
        squares += laplacian * laplacian;
        n++;
      }
    }
    return n == 0 ? 0 : squares / n - sum / n * sum / n;
  }

  /** Whether two images show the same in the same colours. */
  public boolean looksLike(ImageFacts other) {
    for (int c = 0; c < 3; c++) {
      if (Math.abs(tint.get(c) - other.tint.get(c)) > SAME_TINT) {
        return false;
      }
    }
    return distance(other) <= SAME_LOOK;
  }

  private int distance(ImageFacts other) {
    int bits = 0;
    for (int i = 0; i < look.length(); i += 4) {
      int mine = Integer.parseInt(look.substring(i, i + 4), 16);
      int theirs = Integer.parseInt(other.look.substring(i, i + 4), 16);
      bits += Integer.bitCount(mine ^ theirs);
    }
    return bits;
  }

  /** Width over height, or its inverse: at least 1. */
  double elongation() {
    int[] sides = {width, height};
    Arrays.sort(sides);
    return (double) sides[1] / sides[0];
  }
}

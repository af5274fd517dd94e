package org.loranative.export.blocks;

import java.nio.ByteBuffer;
import org.loranative.io.Half;

/**
 * Q4_K and Q5_K: 256 numbers in eight sub-blocks of 32, {@code d·scale·q - dmin·minimum}, q of 4 or
 * 5 bits, scale and minimum of 6 bits each.
 *
 * @param bits 4 or 5
 */
record AffineSuperBlocks(int bits) implements Encoder {
  private static final int BLOCK = 256;
  private static final int SUB = 32;
  private static final int SUBS = BLOCK / SUB;
  private static final int MOST = 63;

  @Override
  public void encode(float[] x, int from, int n, ByteBuffer to) {
    for (int at = from; at < from + n; at += BLOCK) {
      block(x, at, to);
    }
  }

  private void block(float[] x, int at, ByteBuffer to) {
    float[] scales = new float[SUBS];
    float[] minima = new float[SUBS];
    for (int j = 0; j < SUBS; j++) {
      AffineFit fit = AffineFit.of(x, at + j * SUB, SUB, (1 << bits) - 1, true);
      scales[j] = fit.scale();
      minima[j] = -fit.start();
    }
    int[] scale = new int[SUBS];
    int[] minimum = new int[SUBS];
    short d = shared(scales, scale);
    short dmin = shared(minima, minimum);
    int[] q = nearest(x, at, d, dmin, scale, minimum);
    // For these q another d and dmin are better still.
    short[] refit = refit(x, at, q, scale, minimum);
    if (refit.length > 0) {
      int[] q2 = nearest(x, at, refit[0], refit[1], scale, minimum);
      if (error(x, at, q2, refit[0], refit[1], scale, minimum)
          < error(x, at, q, d, dmin, scale, minimum)) {
        q = q2;
        d = refit[0];
        dmin = refit[1];
      }
    }
    to.putShort(d).putShort(dmin);
    putScales(scale, minimum, to);
    putNumbers(q, to);
  }

  /** Writes numbers as multiples, of 6 bits, of one that is given back. */
  private static short shared(float[] numbers, int[] multiples) {
    float largest = 0;
    for (float x : numbers) {
      largest = Math.max(largest, x);
    }
    short unit = Half.of(largest / MOST);
    float inverse = Half.toFloat(unit) == 0 ? 0 : 1 / Half.toFloat(unit);
    for (int j = 0; j < SUBS; j++) {
      multiples[j] = SymmetricFit.nearest(numbers[j] * inverse, 0, MOST);
    }
    return unit;
  }

  private int[] nearest(float[] x, int at, short d, short dmin, int[] scale, int[] minimum) {
    int[] q = new int[BLOCK];
    for (int i = 0; i < BLOCK; i++) {
      float unit = Half.toFloat(d) * scale[i / SUB];
      float start = Half.toFloat(dmin) * minimum[i / SUB];
      q[i] = unit == 0 ? 0 : SymmetricFit.nearest((x[at + i] + start) / unit, 0, (1 << bits) - 1);
    }
    return q;
  }

  private static double error(
      float[] x, int at, int[] q, short d, short dmin, int[] scale, int[] minimum) {
    double error = 0;
    for (int i = 0; i < BLOCK; i++) {
      int j = i / SUB;
      double e = x[at + i] - Half.toFloat(d) * scale[j] * q[i] + Half.toFloat(dmin) * minimum[j];
      error += e * e;
    }
    return error;
  }

  /** d and dmin by least squares, or nothing where they are not both positive. */
  private static short[] refit(float[] x, int at, int[] q, int[] scale, int[] minimum) {
    double aa = 0;
    double ab = 0;
    double bb = 0;
    double ax = 0;
    double bx = 0;
    for (int i = 0; i < BLOCK; i++) {
      double a = scale[i / SUB] * q[i];
      double b = -minimum[i / SUB];
      aa += a * a;
      ab += a * b;
      bb += b * b;
      ax += a * x[at + i];
      bx += b * x[at + i];
    }
    double determinant = aa * bb - ab * ab;
    double d = (bb * ax - ab * bx) / determinant;
    double dmin = (aa * bx - ab * ax) / determinant;
    return determinant > 0 && d > 0 && dmin > 0
        ? new short[] {Half.of((float) d), Half.of((float) dmin)}
        : new short[0];
  }

  /** The first four whole in a byte each; the others' high bits above them, their low ones last. */
  private static void putScales(int[] scale, int[] minimum, ByteBuffer to) {
    for (int j = 0; j < 4; j++) {
      to.put((byte) (scale[j] | (scale[j + 4] >> 4) << 6));
    }
    for (int j = 0; j < 4; j++) {
      to.put((byte) (minimum[j] | (minimum[j + 4] >> 4) << 6));
    }
    for (int j = 0; j < 4; j++) {
      to.put((byte) (scale[j + 4] & 15 | (minimum[j + 4] & 15) << 4));
    }
  }

  /** Fifth bits of sub-block j at bit j; then nibbles, two sub-blocks in 32 bytes. */
  private void putNumbers(int[] q, ByteBuffer to) {
    if (bits == 5) {
      for (int i = 0; i < SUB; i++) {
        int high = 0;
        for (int j = 0; j < SUBS; j++) {
          high |= (q[j * SUB + i] >> 4) << j;
        }
        to.put((byte) high);
      }
    }
    for (int j = 0; j < SUBS; j += 2) {
      for (int i = 0; i < SUB; i++) {
        to.put((byte) (q[j * SUB + i] & 15 | (q[(j + 1) * SUB + i] & 15) << 4));
      }
    }
  }
}

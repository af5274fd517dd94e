package org.loranative.export.blocks;

import java.nio.ByteBuffer;
import org.loranative.io.Half;

/**
 * Q6_K: 256 numbers in sixteen sub-blocks of 16, {@code d·scale·q}, q of 6 bits from -32 to 31,
 * scale of 8 bits with a sign.
 */
final class Q6K implements Encoder {
  private static final int BLOCK = 256;
  private static final int SUB = 16;
  private static final int SUBS = BLOCK / SUB;
  private static final int HALF = 32;

  @Override
  public void encode(float[] x, int from, int n, ByteBuffer to) {
    for (int at = from; at < from + n; at += BLOCK) {
      block(x, at, to);
    }
  }

  private static void block(float[] x, int at, ByteBuffer to) {
    float[] scales = new float[SUBS];
    float largest = 0;
    for (int j = 0; j < SUBS; j++) {
      scales[j] = SymmetricFit.scale(x, at + j * SUB, SUB, HALF);
      largest = Math.abs(scales[j]) > Math.abs(largest) ? scales[j] : largest;
    }
    short d = Half.of(largest / -128); // the largest takes the side that has one more
    float unit = Half.toFloat(d);
    int[] scale = new int[SUBS];
    int[] q = new int[BLOCK];
    for (int j = 0; j < SUBS; j++) {
      scale[j] = unit == 0 ? 0 : SymmetricFit.nearest(scales[j] / unit, -128, 127);
      float step = unit * scale[j];
      for (int i = j * SUB; i < (j + 1) * SUB; i++) {
        q[i] = step == 0 ? HALF : SymmetricFit.nearest(x[at + i] / step, -HALF, HALF - 1) + HALF;
      }
    }
    put(q, to);
    for (int s : scale) {
      to.put((byte) s);
    }
    to.putShort(d);
  }

  /**
   * Of each half of the block: low nibbles of its four quarters, two in 32 bytes; behind both, the
   * high two bits of four numbers a byte.
   */
  private static void put(int[] q, ByteBuffer to) {
    for (int half = 0; half < BLOCK; half += BLOCK / 2) {
      for (int pair = 0; pair < 2; pair++) {
        for (int i = half + 32 * pair; i < half + 32 * pair + 32; i++) {
          to.put((byte) (q[i] & 15 | (q[i + 64] & 15) << 4));
        }
      }
    }
    for (int half = 0; half < BLOCK; half += BLOCK / 2) {
      for (int i = half; i < half + 32; i++) {
        int high = 0;
        for (int part = 0; part < 4; part++) {
          high |= (q[i + 32 * part] >> 4) << 2 * part;
        }
        to.put((byte) high);
      }
    }
  }
}

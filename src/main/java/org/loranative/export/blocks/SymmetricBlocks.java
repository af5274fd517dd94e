package org.loranative.export.blocks;

import java.nio.ByteBuffer;
import org.loranative.io.Half;

/**
 * Q4_0 and Q5_0: 32 numbers d·(q - half), q of 4 or 5 bits.
 *
 * @param bits 4 or 5
 */
record SymmetricBlocks(int bits) implements Encoder {
  static final int BLOCK = 32;

  @Override
  public void encode(float[] x, int from, int n, ByteBuffer to) {
    int half = 1 << bits - 1;
    int[] q = new int[BLOCK];
    for (int at = from; at < from + n; at += BLOCK) {
      short d = Half.of(SymmetricFit.scale(x, at, BLOCK, half));
      float scale = Half.toFloat(d);
      float inverse = scale == 0 ? 0 : 1 / scale;
      for (int i = 0; i < BLOCK; i++) {
        q[i] = SymmetricFit.nearest(x[at + i] * inverse, -half, half - 1) + half;
      }
      to.putShort(d);
      put(q, bits, to);
    }
  }

  /** Fifth bits in one word, then the low halves: of the second sixteen in the high nibbles. */
  static void put(int[] q, int bits, ByteBuffer to) {
    if (bits == 5) {
      int high = 0;
      for (int i = 0; i < BLOCK; i++) {
        high |= (q[i] >> 4) << i;
      }
      to.putInt(high);
    }
    for (int i = 0; i < BLOCK / 2; i++) {
      to.put((byte) (q[i] & 15 | (q[i + BLOCK / 2] & 15) << 4));
    }
  }
}

package org.loranative.export.blocks;

import java.nio.ByteBuffer;
import org.loranative.io.Half;

/**
 * Q4_1 and Q5_1: 32 numbers d·q + m, q of 4 or 5 bits.
 *
 * @param bits 4 or 5
 */
record AffineBlocks(int bits) implements Encoder {
  @Override
  public void encode(float[] x, int from, int n, ByteBuffer to) {
    int most = (1 << bits) - 1;
    int block = SymmetricBlocks.BLOCK;
    int[] q = new int[block];
    for (int at = from; at < from + n; at += block) {
      AffineFit fit = AffineFit.of(x, at, block, most, false);
      short d = Half.of(fit.scale());
      short m = Half.of(fit.start());
      float inverse = Half.toFloat(d) == 0 ? 0 : 1 / Half.toFloat(d);
      for (int i = 0; i < block; i++) {
        q[i] = SymmetricFit.nearest((x[at + i] - Half.toFloat(m)) * inverse, 0, most);
      }
      to.putShort(d).putShort(m);
      SymmetricBlocks.put(q, bits, to);
    }
  }
}

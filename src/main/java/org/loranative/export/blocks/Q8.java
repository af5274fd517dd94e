package org.loranative.export.blocks;

import java.nio.ByteBuffer;
import org.loranative.io.Half;

/** Q8_0: 32 numbers d·q with q from -127 to 127. */
final class Q8 implements Encoder {
  private static final int BLOCK = 32;

  @Override
  public void encode(float[] x, int from, int n, ByteBuffer to) {
    for (int at = from; at < from + n; at += BLOCK) {
      float largest = 0;
      for (int i = at; i < at + BLOCK; i++) {
        largest = Math.max(largest, Math.abs(x[i]));
      }
      short d = Half.of(largest / 127);
      float scale = Half.toFloat(d);
      float inverse = scale == 0 ? 0 : 1 / scale;
      to.putShort(d);
      for (int i = at; i < at + BLOCK; i++) {
        to.put((byte) Math.max(-127, Math.min(127, Math.round(x[i] * inverse))));
      }
    }
  }
}

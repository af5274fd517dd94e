package org.loranative.export.blocks;

import java.nio.ByteBuffer;

/** Turns numbers into the bytes of a storage type. */
public interface Encoder {
  /**
   * Appends {@code x[from]} to {@code x[from + n - 1]}, whole blocks of them.
   *
   * @param to little-endian
   */
  void encode(float[] x, int from, int n, ByteBuffer to);
}

package org.loranative.model.weights;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.Optional;
import java.util.stream.IntStream;
import org.loranative.UserException;
import org.loranative.io.Half;
import org.loranative.io.TensorEntry;

/**
 * GGUF's types of blocks that no device multiplies from: their numbers are taken apart here, as
 * they are read. Formats: ggml's ggml-common.h (block_q2_K …); a block has one f16 scale d, the K
 * types (256 elements) scales of 4 or 6 bits for each 16 or 32.
 */
enum RareBlocks {
  /** Sixteen scales and minima of 4 bits, then 2 bits an element. */
  Q2_K(256, 84) {
    @Override
    void decode(ByteBuffer b, int at, float[] y, int to) {
      float d = half(b, at + 80);
      float dmin = half(b, at + 82);
      for (int i = 0; i < 256; i++) {
        int scales = b.get(at + i / 16) & 255;
        int q = b.get(at + 16 + i / 128 * 32 + i % 32) >> (i / 32 % 4 * 2) & 3;
        y[to + i] = d * (scales & 15) * q - dmin * (scales >> 4);
      }
    }
  },
  /** The third bits of all elements, 2 bits an element, then sixteen scales of 6 bits. */
  Q3_K(256, 110) {
    @Override
    void decode(ByteBuffer b, int at, float[] y, int to) {
      float d = half(b, at + 108);
      for (int i = 0; i < 256; i++) {
        int j = i / 16;
        int low = (b.get(at + 96 + j % 8) & 255) >> (j / 8 * 4) & 15;
        int high = b.get(at + 104 + j % 4) >> (j / 4 * 2) & 3;
        int q = b.get(at + 32 + i / 128 * 32 + i % 32) >> (i / 32 % 4 * 2) & 3;
        int bit = b.get(at + i % 32) >> (i / 32) & 1;
        y[to + i] = d * ((low | high << 4) - 32) * (q - (bit == 0 ? 4 : 0));
      }
    }
  },
  /** 4 bits that name one of sixteen numbers. */
  IQ4_NL(32, 18) {
    @Override
    void decode(ByteBuffer b, int at, float[] y, int to) {
      nibbles(b, at + 2, half(b, at), y, to);
    }
  },
  /** The same, with scales of 6 bits for each 32. */
  IQ4_XS(256, 136) {
    @Override
    void decode(ByteBuffer b, int at, float[] y, int to) {
      float d = half(b, at);
      int high = b.getShort(at + 2);
      for (int j = 0; j < 8; j++) {
        int low = (b.get(at + 4 + j / 2) & 255) >> (j % 2 * 4) & 15;
        float scale = d * ((low | (high >> 2 * j & 3) << 4) - 32);
        nibbles(b, at + 8 + 16 * j, scale, y, to + 32 * j);
      }
    }
  };

  private static final int[] CURVE = {
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113
  };

  final int elements;
  final int bytes;

  RareBlocks(int elements, int bytes) {
    this.elements = elements;
    this.bytes = bytes;
  }

  static Optional<RareBlocks> named(String name) {
    for (RareBlocks type : values()) {
      if (type.name().equals(name)) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }

  /**
   * Takes a block apart.
   *
   * @param at where it begins
   * @param to where its numbers go
   */
  abstract void decode(ByteBuffer b, int at, float[] y, int to);

  /**
   * Reads {@code count} of a tensor's numbers, whole blocks.
   *
   * @param first which number is the first
   */
  void read(TensorEntry entry, long first, int count, float[] to) {
    int blocks = count / elements;
    ByteBuffer stored =
        ByteBuffer.allocate(Math.multiplyExact(blocks, bytes)).order(ByteOrder.LITTLE_ENDIAN);
    long at = entry.offset() + first / elements * bytes;
    try (FileChannel channel = FileChannel.open(entry.file())) {
      while (stored.hasRemaining()) {
        if (channel.read(stored, at + stored.position()) < 0) {
          throw new UserException(entry.file() + " was cut off while it was read.");
        }
      }
    } catch (IOException e) {
      throw new UserException(entry.file() + " cannot be read: " + e.getMessage(), e);
    }
    IntStream.range(0, blocks).parallel().forEach(i -> decode(stored, i * bytes, to, i * elements));
  }

  private static float half(ByteBuffer b, int at) {
    return Half.toFloat(b.getShort(at));
  }

  /** Sixteen bytes whose low halves are the first sixteen elements. */
  private static void nibbles(ByteBuffer b, int at, float scale, float[] y, int to) {
    for (int i = 0; i < 16; i++) {
      int pair = b.get(at + i) & 255;
      y[to + i] = scale * CURVE[pair & 15];
      y[to + 16 + i] = scale * CURVE[pair >> 4];
    }
  }
}

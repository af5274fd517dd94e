package org.loranative.io;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * A row of numbers, wherever they lie: in memory, in a file, on a device. There may be more of them
 * than an array can hold, so they are read in pieces.
 */
public interface Numbers {
  /** Numbers of a piece; tests want short ones. */
  int PIECE = Integer.getInteger("loranative.piece", 1 << 20);

  long size();

  /**
   * Reads {@code count} numbers from number {@code from} on into {@code to}, from {@code at} on.
   */
  void read(long from, float[] to, int at, int count);

  /** What is done with a piece, of which {@code count} numbers are filled. */
  interface Work<E extends Exception> {
    void take(long from, float[] piece, int count) throws E;
  }

  /** All of them in order. The piece's array is the same each time. */
  default <E extends Exception> void inPieces(Work<E> work) throws E {
    float[] piece = new float[(int) Math.min(PIECE, size())];
    for (long from = 0; from < size(); from += piece.length) {
      int count = (int) Math.min(piece.length, size() - from);
      read(from, piece, 0, count);
      work.take(from, piece, count);
    }
  }

  /** All of them as an array, for those that are few. It may be their own: do not write to it. */
  default float[] all() {
    float[] all = new float[Math.toIntExact(size())];
    read(0, all, 0, all.length);
    return all;
  }

  /** {@code count} of them from {@code first} on, where they lie. */
  default Numbers slice(long first, long count) {
    Objects.checkFromIndexSize(first, count, size());
    Numbers whole = this;
    return new Numbers() {
      @Override
      public long size() {
        return count;
      }

      @Override
      public void read(long from, float[] to, int at, int n) {
        Objects.checkFromIndexSize(from, n, count);
        whole.read(first + from, to, at, n);
      }
    };
  }

  /** What is asked of a piece, of which {@code count} numbers are filled. */
  interface Question {
    boolean holds(float[] piece, int count);
  }

  /** Whether it holds for every piece; the rest is not read where it does not. */
  default boolean every(Question question) {
    float[] piece = new float[(int) Math.min(PIECE, size())];
    boolean holds = true;
    for (long from = 0; holds && from < size(); from += piece.length) {
      int count = (int) Math.min(piece.length, size() - from);
      read(from, piece, 0, count);
      holds = question.holds(piece, count);
    }
    return holds;
  }

  /** How one number and its counterpart compare. */
  interface Likeness {
    boolean holds(float one, float other);
  }

  /** Whether there are as many of {@code other}, and each is like its counterpart. */
  default boolean areLike(Numbers other, Likeness likeness) {
    if (size() != other.size()) {
      return false;
    }
    int piece = (int) Math.min(PIECE, size());
    float[] x = new float[piece];
    float[] y = new float[piece];
    for (long from = 0; from < size(); from += piece) {
      int count = (int) Math.min(piece, size() - from);
      read(from, x, 0, count);
      other.read(from, y, 0, count);
      for (int i = 0; i < count; i++) {
        if (!likeness.holds(x[i], y[i])) {
          return false;
        }
      }
    }
    return true;
  }

  /** Writes them as f32, little-endian. */
  default void writeTo(OutputStream out) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.allocate(Float.BYTES * (int) Math.min(PIECE, size()))
            .order(ByteOrder.LITTLE_ENDIAN);
    inPieces(
        (from, piece, count) -> {
          bytes.clear().asFloatBuffer().put(piece, 0, count);
          out.write(bytes.array(), 0, count * Float.BYTES);
        });
  }

  /** Those of an array. */
  static Numbers of(float[] numbers) {
    return new Numbers() {
      @Override
      public long size() {
        return numbers.length;
      }

      @Override
      public void read(long from, float[] to, int at, int count) {
        System.arraycopy(numbers, Math.toIntExact(from), to, at, count);
      }

      @Override
      public float[] all() {
        return numbers;
      }
    };
  }

  /** Those of arrays by name. */
  static Map<String, Numbers> of(Map<String, float[]> arrays) {
    Map<String, Numbers> numbers = new LinkedHashMap<>();
    arrays.forEach((name, array) -> numbers.put(name, of(array)));
    return numbers;
  }
}

package org.loranative.io;

import java.io.IOException;
import java.io.OutputStream;
import java.util.List;

/**
 * A tensor that is made while it is written, so that no more of it than a piece is in memory.
 *
 * @param type as the file's format calls it
 * @param shape row-major
 * @param content writes its bytes, little-endian
 */
public record TensorStream(
    String name, String type, List<Long> shape, long bytes, AtomicFiles.Writer content) {

  /** Numbers as f32, which are read as they are written. */
  public static TensorStream f32(String name, List<Long> shape, Numbers numbers) {
    return new TensorStream(
        name, DType.F32.name(), shape, DType.F32.bytes(numbers.size()), numbers::writeTo);
  }

  /** Likewise those of an array. */
  public static TensorStream f32(String name, List<Long> shape, float[] numbers) {
    return f32(name, shape, Numbers.of(numbers));
  }

  /** Writes exactly its bytes. */
  void writeTo(OutputStream out) throws IOException {
    Counting counting = new Counting(out);
    content.write(counting);
    if (counting.written != bytes) {
      throw new IllegalStateException(
          name + ": " + counting.written + " bytes instead of " + bytes);
    }
  }

  private static final class Counting extends OutputStream {
    private final OutputStream out;
    private long written;

    Counting(OutputStream out) {
      this.out = out;
    }

    @Override
    public void write(int b) throws IOException {
      out.write(b);
      written++;
    }

    @Override
    public void write(byte[] b, int from, int n) throws IOException {
      out.write(b, from, n);
      written += n;
    }
  }
}

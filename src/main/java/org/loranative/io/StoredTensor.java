package org.loranative.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.Objects;
import org.loranative.UserException;

/** A tensor's numbers as f32, read from its file each time that they are asked for. */
record StoredTensor(TensorEntry entry) implements Numbers {
  @Override
  public long size() {
    return entry.elements();
  }

  @Override
  public void read(long from, float[] to, int at, int count) {
    Objects.checkFromIndexSize(from, count, size());
    DType type =
        DType.named(entry.type())
            .filter(t -> t == DType.F32 || t == DType.BF16 || t == DType.F16)
            .orElseThrow(
                () ->
                    new UserException(
                        entry.file()
                            + ": "
                            + entry.name()
                            + " is "
                            + entry.type()
                            + "; F32, F16 or BF16 expected."));
    try (FileChannel channel = FileChannel.open(entry.file())) {
      for (int done = 0; done < count; ) {
        int n = Math.min(count - done, PIECE);
        convert(type, bytes(channel, type, from + done, n), to, at + done, n);
        done += n;
      }
    } catch (IOException e) {
      throw new UserException(entry.file() + " cannot be read: " + e.getMessage(), e);
    }
  }

  private ByteBuffer bytes(FileChannel channel, DType type, long from, int count)
      throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate((int) type.bytes(count)).order(ByteOrder.LITTLE_ENDIAN);
    long at = entry.offset() + type.bytes(from);
    while (bytes.hasRemaining()) {
      if (channel.read(bytes, at + bytes.position()) < 0) {
        throw new UserException(entry.file() + " was cut off while it was read.");
      }
    }
    return bytes.flip();
  }

  private static void convert(DType type, ByteBuffer bytes, float[] to, int at, int count) {
    if (type == DType.F32) {
      bytes.asFloatBuffer().get(to, at, count);
      return;
    }
    for (int i = 0; i < count; i++) {
      short half = bytes.getShort(i * 2);
      to[at + i] = type == DType.BF16 ? Half.ofBrain(half) : Half.toFloat(half);
    }
  }
}

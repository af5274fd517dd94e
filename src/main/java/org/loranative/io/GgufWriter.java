package org.loranative.io;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Writes GGUF, version 3, tensors in the given order. */
public final class GgufWriter {
  /** The format's own where metadata names none. */
  private static final int ALIGNMENT = 32;

  private static final String ALIGNMENT_KEY = "general.alignment";

  private GgufWriter() {}

  /**
   * @param tensors of ggml's type names; shapes row-major
   */
  public static void write(Path file, GgufMetadata metadata, List<TensorStream> tensors)
      throws IOException {
    metadata.without(ALIGNMENT_KEY);
    ByteArrayOutputStream header = new ByteArrayOutputStream();
    header.writeBytes(
        GgufMetadata.little(24)
            .putInt(Gguf.MAGIC)
            .putInt(3)
            .putLong(tensors.size())
            .putLong(metadata.size())
            .array());
    metadata
        .entries()
        .forEach(
            (key, entry) -> {
              header.writeBytes(GgufMetadata.string(key));
              header.writeBytes(GgufMetadata.little(4).putInt(entry.type().id).array());
              header.writeBytes(entry.bytes());
            });
    long offset = 0;
    for (TensorStream t : tensors) {
      header.writeBytes(GgufMetadata.string(t.name()));
      header.writeBytes(GgufMetadata.little(4).putInt(t.shape().size()).array());
      for (int d = t.shape().size() - 1; d >= 0; d--) { // the contiguous dimension first
        header.writeBytes(GgufMetadata.little(8).putLong(t.shape().get(d)).array());
      }
      header.writeBytes(
          GgufMetadata.little(12).putInt(GgmlType.valueOf(t.type()).id).putLong(offset).array());
      offset += aligned(t.bytes());
    }
    AtomicFiles.write(
        file,
        out -> {
          header.writeTo(out);
          out.write(new byte[padding(header.size())]);
          for (TensorStream t : tensors) {
            t.writeTo(out);
            out.write(new byte[padding(t.bytes())]);
          }
        });
  }

  private static long aligned(long bytes) {
    return bytes + padding(bytes);
  }

  private static int padding(long bytes) {
    return (int) ((ALIGNMENT - bytes % ALIGNMENT) % ALIGNMENT);
  }
}

package org.loranative.image;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Signs that a file ends before its picture does, where decoders fill the rest in silence. */
final class Truncation {
  private static final int RIFF_HEAD = 12;

  private Truncation() {}

  /** WebP: the container says how long it is. */
  static void checkContainer(Path file) throws IOException {
    byte[] head;
    try (InputStream in = Files.newInputStream(file)) {
      head = in.readNBytes(RIFF_HEAD);
    }
    String text = new String(head, StandardCharsets.ISO_8859_1);
    if (head.length == RIFF_HEAD && text.startsWith("RIFF") && text.endsWith("WEBP")) {
      int size = ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).getInt(4);
      if (Files.size(file) < Integer.toUnsignedLong(size) + 8) {
        throw new EOFException();
      }
    }
  }

  /**
   * JPEG: libjpeg warns that a segment ended early. That only the mark of the end is missing is no
   * such warning: then all pixels are there.
   */
  static void check(List<String> warnings) throws EOFException {
    if (warnings.stream().anyMatch(w -> w.contains("premature end"))) {
      throw new EOFException();
    }
  }
}

package org.loranative.data;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.mozilla.universalchardet.UniversalDetector;

/**
 * What a text that is no UTF-8 may be encoded in. A caption is too short to tell, so its neighbours
 * of the same kind are looked at as well.
 */
final class EncodingGuess {
  private static final int MOST_BYTES = 1 << 16;
  private static final int MOST_FILES = 200;

  private EncodingGuess() {}

  /** Its name; "" for none. */
  static String of(Path file) {
    try {
      byte[] own = head(file, MOST_BYTES);
      for (byte b : own) {
        if (b == 0) {
          return wide(own);
        }
      }
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      all.write(own);
      for (Path other : neighbours(file)) {
        byte[] more = head(other, MOST_BYTES - all.size());
        if (!isUtf8(more)) {
          all.write('\n');
          all.write(more);
        }
      }
      return detected(all.toByteArray());
    } catch (IOException e) {
      return "";
    }
  }

  private static byte[] head(Path file, int most) throws IOException {
    try (InputStream in = Unpacked.open(file)) {
      return in.readNBytes(Math.max(0, most));
    }
  }

  private static List<Path> neighbours(Path file) throws IOException {
    String name = file.getFileName().toString();
    String kind = name.substring(Math.max(0, name.lastIndexOf('.'))).toLowerCase(Locale.ROOT);
    Path folder = file.toAbsolutePath().getParent();
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(f -> f.getFileName().toString().toLowerCase(Locale.ROOT).endsWith(kind))
          .filter(f -> !f.equals(file.toAbsolutePath()) && Files.isRegularFile(f))
          .sorted()
          .limit(MOST_FILES)
          .toList();
    }
  }

  private static boolean isUtf8(byte[] text) {
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(text));
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }

  /** Two bytes a character: the order in which fewer scripts meet. */
  private static String wide(byte[] text) {
    return scripts(text, StandardCharsets.UTF_16LE) <= scripts(text, StandardCharsets.UTF_16BE)
        ? "UTF-16LE"
        : "UTF-16BE";
  }

  private static long scripts(byte[] text, Charset charset) {
    return new String(text, charset)
        .codePoints()
        .mapToObj(Character.UnicodeBlock::of)
        .distinct()
        .count();
  }

  private static String detected(byte[] text) {
    UniversalDetector detector = new UniversalDetector();
    detector.handleData(text);
    detector.dataEnd();
    String found = detector.getDetectedCharset();
    return found == null || found.equals("UTF-8") || found.equals("US-ASCII") ? "" : found;
  }
}

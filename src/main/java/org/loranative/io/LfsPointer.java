package org.loranative.io;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.loranative.UserException;

/** The few lines that Git LFS leaves in a checkout where a large file was not fetched. */
public final class LfsPointer {
  private static final String BEGINNING = "version https://git-lfs.github.com/spec/";

  private LfsPointer() {}

  /**
   * @throws UserException if {@code file} is a pointer or cannot be read
   */
  public static void refuse(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(BEGINNING.length());
      if (new String(bytes, StandardCharsets.ISO_8859_1).equals(BEGINNING)) {
        throw new UserException(
            file
                + " is a pointer of Git LFS and not the file itself. Run \"git lfs pull\" in its"
                + " folder, or download the file.");
      }
    } catch (IOException e) {
      throw new UserException(file + " cannot be read: " + UserException.reason(e) + ".", e);
    }
  }
}

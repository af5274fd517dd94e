package org.loranative.io;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.loranative.UserException;

/** {@code SHA256SUMS} of a folder's files, in the format of {@code sha256sum}. */
public final class Checksums {
  private static final String NAME = "SHA256SUMS";
  private static final Pattern LINE = Pattern.compile("([0-9a-f]{64})  ([^/]+)");

  private Checksums() {}

  /** Writes those of all files that lie in {@code folder} now. */
  public static void write(Path folder) throws IOException {
    StringBuilder text = new StringBuilder();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
        if (!file.endsWith(NAME)) {
          text.append(hash(file)).append("  ").append(file.getFileName()).append('\n');
        }
      }
    }
    AtomicFiles.writeString(folder.resolve(NAME), text.toString());
  }

  /** Whether {@code folder} has any. */
  public static boolean exist(Path folder) {
    return Files.isRegularFile(folder.resolve(NAME));
  }

  /** What is wrong with {@code folder}, if anything. */
  public static Optional<String> problem(Path folder) {
    Path sums = folder.resolve(NAME);
    if (!exist(folder)) {
      return Optional.of("it has no " + NAME);
    }
    try {
      for (String line : Files.readString(sums, StandardCharsets.ISO_8859_1).split("\n")) {
        Matcher m = LINE.matcher(line);
        if (!m.matches()) {
          return Optional.of(NAME + " is damaged");
        }
        Path file = folder.resolve(m.group(2));
        if (!Files.isRegularFile(file)) {
          return Optional.of(m.group(2) + " is missing");
        }
        if (!hash(file).equals(m.group(1))) {
          return Optional.of(m.group(2) + " is not as it was written");
        }
      }
      return Optional.empty();
    } catch (IOException e) {
      return Optional.of("it cannot be read: " + e.getMessage());
    }
  }

  /** SHA-256 of a file, in hexadecimal; one that cannot be read is named. */
  public static String of(Path file) {
    try {
      return hash(file);
    } catch (IOException e) {
      throw new UserException(file + " cannot be read: " + UserException.reason(e) + ".", e);
    }
  }

  private static String hash(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      byte[] chunk = new byte[1 << 16];
      for (int n = in.read(chunk); n >= 0; n = in.read(chunk)) {
        digest.update(chunk, 0, n);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}

package org.loranative.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.loranative.UserException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tensors under the name of a variant (diffusers' {@code variant="fp16"}), where no others are. */
final class Variants {
  private static final Logger log = LoggerFactory.getLogger(Variants.class);

  /** Weights before their running average, which images are drawn with: only for want of others. */
  private static final String LAST = "non_ema";

  private Variants() {}

  /** The file of a variant, or the index of its shards. */
  static Optional<Path> find(Path folder, String stem) {
    Pattern names =
        Pattern.compile(
            Pattern.quote(stem)
                + "(\\.(?!safetensors)[a-z0-9_]+\\.safetensors"
                + "|\\.safetensors\\.index\\.[a-z0-9_]+\\.json)");
    try (Stream<Path> files = Files.list(folder)) {
      List<Path> found =
          files
              .filter(f -> names.matcher(f.getFileName().toString()).matches())
              .sorted(
                  Comparator.comparing((Path f) -> f.getFileName().toString().contains(LAST))
                      .thenComparing(f -> !f.getFileName().toString().contains("fp16"))
                      .thenComparing(Comparator.naturalOrder()))
              .toList();
      found.stream()
          .findFirst()
          .ifPresent(f -> log.info("{}: {} is used", folder, f.getFileName()));
      return found.stream().findFirst();
    } catch (IOException e) {
      throw new UserException(folder + " cannot be read: " + e.getMessage(), e);
    }
  }

  /** A pickle among a folder's files, where tensors may be but are not read. */
  static Optional<Path> pickle(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(f -> f.getFileName().toString().matches(".*\\.(bin|ckpt|pt|pth)"))
          .sorted()
          .findFirst();
    } catch (IOException e) {
      throw new UserException(folder + " cannot be read: " + e.getMessage(), e);
    }
  }
}

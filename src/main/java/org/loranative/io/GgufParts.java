package org.loranative.io;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.loranative.UserException;

/**
 * A model that llama.cpp's {@code gguf-split} has split: {@code NAME-00001-of-00003.gguf} and so
 * on. The first part has the metadata, each has some of the tensors.
 */
final class GgufParts {
  private static final Pattern NAME = Pattern.compile("(.*)-([0-9]{5})-of-([0-9]{5})\\.gguf");
  private static final long MOST = 99_999;

  private GgufParts() {}

  static boolean isPart(TensorFile file) {
    return count(file) > 1;
  }

  private static long count(TensorFile file) {
    return file.metadata().get("split.count") instanceof Long n ? n : 1;
  }

  /** The part that has the metadata: {@code file} itself where it was not split. */
  static Path first(Path file) {
    Matcher m = NAME.matcher(file.getFileName().toString());
    Path first =
        m.matches() ? file.resolveSibling(m.group(1) + "-00001-of-" + m.group(3) + ".gguf") : file;
    return Files.exists(first) ? first : file;
  }

  /** All parts as one file, given one of them. */
  static TensorFile join(Path named, TensorFile part, Function<Path, TensorFile> read) {
    long parts = count(part);
    Matcher m = NAME.matcher(named.getFileName().toString());
    if (parts > MOST || !m.matches() || Long.parseLong(m.group(3)) != parts) {
      throw new UserException(
          String.format(
              "%s is one of %d parts of a model; parts must keep their names"
                  + " (NAME-00001-of-%05d.gguf) to be found.",
              named, parts, parts));
    }
    Map<String, Object> metadata = Map.of();
    Map<String, TensorEntry> tensors = new LinkedHashMap<>();
    for (int i = 1; i <= parts; i++) {
      Path file = named.resolveSibling(String.format("%s-%05d-of-%05d.gguf", m.group(1), i, parts));
      if (!Files.exists(file)) {
        throw new UserException(
            named
                + " is one of "
                + parts
                + " parts of a model, but "
                + file.getFileName()
                + " is not beside it: download it too.");
      }
      TensorFile one = file.equals(named) ? part : read.apply(file);
      if (!Long.valueOf(i - 1).equals(one.metadata().get("split.no")) || count(one) != parts) {
        throw new UserException(
            file + " is not part " + i + " of " + parts + ", as its name says; download it again.");
      }
      metadata = i == 1 ? one.metadata() : metadata;
      for (Map.Entry<String, TensorEntry> t : one.tensors().entrySet()) {
        if (tensors.put(t.getKey(), t.getValue()) != null) {
          throw new UserException(
              file + ": tensor \"" + t.getKey() + "\" is in an earlier part, too.");
        }
      }
    }
    return new TensorFile(tensors, metadata);
  }
}

package org.loranative.data.sd;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.loranative.Spelling;
import org.loranative.UserException;
import org.loranative.data.Records;

/**
 * An image and its caption.
 *
 * @param file the image
 */
public record Captioned(Path file, String caption) {
  private static final List<String> FILE_KEYS = List.of("filename", "file_name", "image");
  private static final List<String> CAPTION_KEYS = List.of("prompt", "text", "caption");
  private static final List<String> ENDINGS =
      List.of(".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif");

  /** What words are made of, where they are written apart. */
  private static final String LETTER =
      "[\\p{L}\\p{M}\\p{N}_&&[^\\p{IsHan}\\p{IsHiragana}\\p{IsKatakana}\\p{IsThai}]]";

  /**
   * What a folder holds.
   *
   * @param withoutCaption images that nothing describes; they are not used
   */
  public record Found(List<Captioned> images, List<Path> withoutCaption) {
    /** With a word before each caption that lacks it; none if it is "". */
    public Found triggeredBy(String word) {
      return new Found(images.stream().map(c -> c.triggeredBy(word)).toList(), withoutCaption);
    }
  }

  /** With a word before the caption, unless it has it already, in whatever case. */
  public Captioned triggeredBy(String word) {
    return word.isEmpty() || has(word)
        ? this
        : new Captioned(file, caption.isEmpty() ? word : word + ", " + caption);
  }

  /** Whether the caption has a word that is no part of a longer one. */
  private boolean has(String word) {
    return Pattern.compile(
            "(?<!" + LETTER + ")" + Pattern.quote(word) + "(?!" + LETTER + ")",
            Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE)
        .matcher(caption)
        .find();
  }

  /**
   * Reads a metadata file, or a folder: by its metadata.csv or metadata.jsonl, else by the .txt or
   * .caption file beside each image.
   *
   * @throws UserException if a caption's image is missing, with the nearest name that is there
   */
  public static Found read(Path path) {
    if (!Files.exists(path)) {
      throw new UserException("The training data " + path + " does not exist.");
    }
    if (!Files.isDirectory(path)) {
      return byMetadata(path);
    }
    for (String name : List.of("metadata.csv", "metadata.jsonl")) {
      if (Files.exists(path.resolve(name))) {
        return byMetadata(path.resolve(name));
      }
    }
    List<Captioned> images = new ArrayList<>();
    List<Path> without = new ArrayList<>();
    for (Path image : images(path)) {
      Optional<String> caption = sidecar(image);
      if (caption.isPresent()) {
        images.add(new Captioned(image, caption.get()));
      } else {
        without.add(image);
      }
    }
    return new Found(images, without);
  }

  private static Found byMetadata(Path metadata) {
    Path folder = metadata.toAbsolutePath().getParent();
    Records records = Records.read(metadata);
    if (!records.skipped().isEmpty()) {
      throw new UserException(records.skipped().get(0) + ".");
    }
    List<Captioned> images = new ArrayList<>();
    Set<Path> described = new HashSet<>();
    for (Records.Raw raw : records.records()) {
      String name = field(raw, FILE_KEYS, "an image");
      Path file = folder.resolve(name).normalize();
      if (!Files.isRegularFile(file)) {
        throw new UserException(
            raw.source() + ": the image " + name + " does not exist" + nearest(folder, name) + ".");
      }
      images.add(new Captioned(file, field(raw, CAPTION_KEYS, "a caption")));
      described.add(file);
    }
    List<Path> without =
        images.isEmpty()
            ? List.of()
            : images(folder).stream().filter(f -> !described.contains(f)).toList();
    return new Found(images, without);
  }

  private static String field(Records.Raw raw, List<String> keys, String what) {
    for (String key : keys) {
      JsonNode value = raw.fields().path(key);
      if (value.isTextual()) {
        return value.asText();
      }
    }
    throw new UserException(
        raw.source() + " names not " + what + "; one of " + String.join(", ", keys) + " must.");
  }

  private static Optional<String> sidecar(Path image) {
    String stem = image.toString().replaceFirst("\\.[^.]*$", "");
    for (String ending : List.of(".txt", ".caption")) {
      Path file = Path.of(stem + ending);
      if (Files.exists(file)) {
        try {
          return Optional.of(Files.readString(file).strip());
        } catch (IOException e) {
          throw new UserException(file + " cannot be read: " + e.getMessage(), e);
        }
      }
    }
    return Optional.empty();
  }

  /** Images in a folder and below it, in name order. */
  private static List<Path> images(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(Files::isRegularFile)
          .filter(f -> ENDINGS.stream().anyMatch(f.toString().toLowerCase(Locale.ROOT)::endsWith))
          .map(Path::normalize)
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String nearest(Path folder, String name) {
    List<String> there = images(folder).stream().map(f -> folder.relativize(f).toString()).toList();
    return Spelling.nearest(name, there)
        .map(n -> "; the nearest name there is " + n)
        .orElse("; there are no images beside it");
  }
}

package org.loranative.data.sd;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.loranative.Spelling;
import org.loranative.UserException;
import org.loranative.data.DataFolder;
import org.loranative.data.Records;
import org.loranative.data.TextFile;

/**
 * An image and its caption.
 *
 * @param file the image
 */
public record Captioned(Path file, String caption) {
  private static final List<String> FILE_KEYS = List.of("filename", "file_name", "image");
  private static final List<String> CAPTION_KEYS = List.of("prompt", "text", "caption");
  private static final Set<String> IMAGES =
      Set.of("png", "jpg", "jpeg", "jpe", "jfif", "webp", "bmp", "gif");
  private static final Set<String> UNREAD_IMAGES =
      Set.of("tif", "tiff", "avif", "heic", "heif", "jxl", "jp2", "ppm", "pgm", "tga", "psd");
  private static final List<String> CAPTIONS = List.of("txt", "caption");

  /** What words are made of, where they are written apart. */
  private static final String LETTER =
      "[\\p{L}\\p{M}\\p{N}_&&[^\\p{IsHan}\\p{IsHiragana}\\p{IsKatakana}\\p{IsThai}]]";

  /**
   * What a folder holds.
   *
   * @param withoutCaption images that nothing describes; they are not used
   * @param withoutImage captions that describe nothing
   * @param unread images of kinds that are not read
   * @param unheeded captions beside images where a metadata file describes them
   */
  public record Found(
      List<Captioned> images,
      List<Path> withoutCaption,
      List<Path> withoutImage,
      List<Path> unread,
      List<Path> unheeded) {
    /** With a word before each caption that lacks it; none if it is "". */
    public Found triggeredBy(String word) {
      return new Found(
          images.stream().map(c -> c.triggeredBy(word)).toList(),
          withoutCaption,
          withoutImage,
          unread,
          unheeded);
    }

    /**
     * Checks that no mask has a caption.
     *
     * @throws UserException if one would be both learnt and a mask
     */
    public Found masked() {
      Set<String> stems = images.stream().map(i -> Mask.stem(i.file())).collect(Collectors.toSet());
      for (Captioned image : images) {
        if (Mask.isMask(image.file(), stems)) {
          throw new UserException(
              image.file()
                  + " has a caption of its own, but with masked: true it is the mask of the image"
                  + " whose name it bears; remove the caption, or rename the file.");
        }
      }
      return this;
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
  public static Found read(Path path, TextFile.Encoding encoding) {
    if (!Files.exists(path)) {
      throw new UserException("The training data " + path + " does not exist.");
    }
    if (!Files.isDirectory(path)) {
      return byMetadata(path, encoding);
    }
    for (String name : List.of("metadata.csv", "metadata.jsonl")) {
      if (Files.exists(path.resolve(name))) {
        return byMetadata(path.resolve(name), encoding);
      }
    }
    List<Captioned> images = new ArrayList<>();
    List<Path> without = new ArrayList<>();
    Sidecars sidecars = Sidecars.in(path);
    for (Path image : sidecars.images()) {
      Optional<Path> caption = sidecars.of(image);
      if (caption.isPresent()) {
        images.add(new Captioned(image, TextFile.read(caption.get(), encoding).strip()));
      } else if (!sidecars.isMask(image)) {
        without.add(image);
      }
    }
    return new Found(images, without, sidecars.withoutImage(), sidecars.unread(), List.of());
  }

  /** Captions in UTF-8. */
  public static Found read(Path path) {
    return read(path, TextFile.Encoding.UTF_8);
  }

  private static Found byMetadata(Path metadata, TextFile.Encoding encoding) {
    Path folder = metadata.toAbsolutePath().getParent();
    Records records = Records.read(metadata, encoding);
    if (!records.skipped().isEmpty()) {
      throw new UserException(records.skipped().get(0) + ".");
    }
    List<Captioned> images = new ArrayList<>();
    Set<Path> described = new HashSet<>();
    for (Records.Raw raw : records.records()) {
      String name = field(raw, FILE_KEYS, "image");
      if (name.isBlank()) {
        throw unnamed(raw, FILE_KEYS, "image");
      }
      Path file = file(folder, name, raw);
      images.add(new Captioned(file, field(raw, CAPTION_KEYS, "caption")));
      described.add(file);
    }
    if (images.isEmpty()) {
      return new Found(images, List.of(), List.of(), List.of(), List.of());
    }
    Sidecars sidecars = Sidecars.in(folder);
    return new Found(
        images,
        sidecars.images().stream()
            .filter(f -> !described.contains(f) && !sidecars.isMask(f))
            .toList(),
        List.of(),
        sidecars.unread().stream().filter(f -> !described.contains(f)).toList(),
        sidecars.images().stream().flatMap(f -> sidecars.of(f).stream()).distinct().toList());
  }

  private static Path file(Path folder, String name, Records.Raw raw) {
    try {
      Path file = folder.resolve(name).normalize();
      if (Files.isRegularFile(file)) {
        return file;
      }
    } catch (InvalidPathException e) {
      throw new UserException(
          raw.source() + ": no file can have the name " + visible(name) + ".", e);
    }
    throw new UserException(
        raw.source() + ": the image " + name + " does not exist" + nearest(folder, name) + ".");
  }

  private static String visible(String name) {
    return name.replaceAll("\\p{Cntrl}", "\uFFFD");
  }

  /**
   * Images of a folder and the files beside them that may be their captions.
   *
   * @param captions by their path without the ending
   * @param stems the images' paths without the endings
   */
  private record Sidecars(
      List<Path> images, List<Path> unread, Map<String, Path> captions, Set<String> stems) {
    static Sidecars in(Path folder) {
      List<Path> images = new ArrayList<>();
      List<Path> unread = new ArrayList<>();
      Map<String, Path> captions = new TreeMap<>();
      List<Path> files = DataFolder.files(folder);
      for (Path file : files) {
        if (IMAGES.contains(ending(file))) {
          images.add(file);
        } else if (UNREAD_IMAGES.contains(ending(file))) {
          unread.add(file);
        }
      }
      for (String kind : CAPTIONS) {
        files.stream()
            .filter(f -> ending(f).equals(kind) && !DataFolder.isDocument(f))
            .forEach(f -> captions.putIfAbsent(Mask.stem(f), f));
      }
      Set<String> stems = images.stream().map(Mask::stem).collect(Collectors.toSet());
      return new Sidecars(images, unread, captions, stems);
    }

    boolean isMask(Path image) {
      return Mask.isMask(image, stems);
    }

    Optional<Path> of(Path image) {
      return Optional.ofNullable(captions.get(Mask.stem(image)));
    }

    List<Path> withoutImage() {
      Map<String, Path> left = new TreeMap<>(captions);
      images.forEach(i -> left.remove(Mask.stem(i)));
      unread.forEach(i -> left.remove(Mask.stem(i)));
      return List.copyOf(left.values());
    }

    private static String ending(Path file) {
      String name = file.getFileName().toString();
      return name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    }
  }

  private static String field(Records.Raw raw, List<String> keys, String what) {
    for (String key : keys) {
      JsonNode value = raw.fields().path(key);
      if (value.isTextual()) {
        return value.asText();
      }
    }
    throw unnamed(raw, keys, what);
  }

  private static UserException unnamed(Records.Raw raw, List<String> keys, String what) {
    return new UserException(
        raw.source() + " names no " + what + ": one of " + String.join(", ", keys) + " must.");
  }

  private static String nearest(Path folder, String name) {
    List<String> there =
        Sidecars.in(folder).images().stream().map(f -> folder.relativize(f).toString()).toList();
    return Spelling.nearest(name, there)
        .map(n -> "; the nearest name there is " + n)
        .orElse("; there are no images beside it");
  }
}

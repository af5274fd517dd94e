package org.loranative.data;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.loranative.UserException;

/**
 * Which files of a folder are trained on: those of kinds that are read, without splits that are
 * named for testing, as the folders of Hugging Face's hub are laid out.
 *
 * @param leftOut the other files by the reason
 */
record DataFiles(List<Path> chosen, Map<String, List<Path>> leftOut) {
  static final List<String> KINDS = List.of("jsonl", "ndjson", "json", "csv", "parquet", "txt");

  private static final String READ =
      ".jsonl, .json, .csv and .txt (also with .gz) and .parquet can be read.";

  /** As in Hugging Face's datasets. */
  private static final Set<String> TRAINING = Set.of("train", "training");

  private static final Set<String> HELD_OUT =
      Set.of(
          "validation", "valid", "val", "dev", "test", "testing", "eval", "evaluation", "heldout");

  static DataFiles of(Path folder) {
    Map<String, List<Path>> leftOut = new LinkedHashMap<>();
    List<Path> data = new ArrayList<>();
    for (Path file : DataFolder.files(folder)) {
      if (DataFolder.isDocument(file)) {
        leave(leftOut, "about the data", file);
      } else if (isArrow(file)) {
        leave(leftOut, "Arrow is not read; datasets' to_parquet converts it", file);
      } else if (kind(file).isEmpty()) {
        leave(leftOut, "of a kind that is not read", file);
      } else {
        data.add(file);
      }
    }
    boolean structured = data.stream().anyMatch(f -> !kind(f).get().equals("txt"));
    List<Path> chosen = new ArrayList<>();
    for (Path file : data) {
      if (structured && kind(file).get().equals("txt")) {
        leave(leftOut, "text beside records", file);
      } else if (isHeldOut(folder.normalize().relativize(file))) {
        leave(leftOut, "not for training, by name; validation_path can name it", file);
      } else {
        chosen.add(file);
      }
    }
    if (chosen.isEmpty()) {
      chosen = data.stream().filter(f -> !structured || !kind(f).get().equals("txt")).toList();
      leftOut.values().forEach(files -> files.removeAll(data));
      leftOut.values().removeIf(List::isEmpty);
    }
    if (chosen.isEmpty()) {
      Optional<Path> arrow =
          leftOut.values().stream().flatMap(List::stream).filter(DataFiles::isArrow).findFirst();
      throw new UserException(
          folder
              + (arrow.isPresent()
                  ? " holds Arrow files, which are not read. Convert them: " + convert(arrow.get())
                  : " holds no data; " + READ));
    }
    return new DataFiles(chosen, leftOut);
  }

  private static void leave(Map<String, List<Path>> leftOut, String reason, Path file) {
    leftOut.computeIfAbsent(reason, r -> new ArrayList<>()).add(file);
  }

  /** The ending without that of gzip, if it is one that is read. */
  static Optional<String> kind(Path file) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    return KINDS.stream()
        .filter(k -> name.endsWith("." + k) || name.endsWith("." + k + ".gz"))
        .filter(k -> !name.endsWith(".parquet.gz"))
        .findFirst();
  }

  /** Why a file is not read, and what to do. */
  static UserException unread(Path file) {
    return new UserException(
        isArrow(file)
            ? file + " is an Arrow file, which is not read. Convert it: " + convert(file)
            : file + " has an unknown ending; " + READ);
  }

  private static boolean isArrow(Path file) {
    return file.getFileName().toString().toLowerCase(Locale.ROOT).endsWith(".arrow");
  }

  /** A file of Hugging Face's datasets to Parquet; {@code save_to_disk} writes such files. */
  private static String convert(Path file) {
    return "python -c \"from datasets import Dataset;"
        + " Dataset.from_file('"
        + file
        + "').to_parquet('"
        + file.getFileName().toString().replaceFirst("(?i)[.]arrow$", "")
        + ".parquet')\"";
  }

  /**
   * Whether a name, or that of a folder on the way to it, has such a word and none for training.
   */
  private static boolean isHeldOut(Path within) {
    List<String> words = Arrays.asList(within.toString().toLowerCase(Locale.ROOT).split("[^a-z]+"));
    return words.stream().anyMatch(HELD_OUT::contains)
        && words.stream().noneMatch(TRAINING::contains);
  }

  /** One line for each reason. */
  List<String> describe(Path folder) {
    return leftOut.entrySet().stream()
        .map(
            e ->
                e.getValue().stream()
                        .map(f -> folder.normalize().relativize(f).toString())
                        .collect(Collectors.joining(", "))
                    + " ("
                    + e.getKey()
                    + ")")
        .toList();
  }
}

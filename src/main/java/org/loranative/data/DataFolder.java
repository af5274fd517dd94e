package org.loranative.data;

import java.io.IOException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.loranative.UserException;

/** What lies in a folder of data: links are followed, what systems leave behind is no data. */
public final class DataFolder {
  /** Of Windows, macOS, network disks; what begins with a dot comes to it. */
  private static final Set<String> DEBRIS =
      Set.of(
          "thumbs.db",
          "ehthumbs.db",
          "desktop.ini",
          "__macosx",
          "@eadir",
          "$recycle.bin",
          "system volume information");

  /** About the data, not data. */
  private static final Pattern DOCUMENT =
      Pattern.compile(
          "(license|licence|copying|notice|readme|changelog|citation|authors)([-_.].*)?"
              + "|requirements\\.txt|dataset_infos?\\.json|dataset_dict\\.json|state\\.json",
          Pattern.CASE_INSENSITIVE);

  private DataFolder() {}

  /**
   * The files in a folder and below it, in name order.
   *
   * @throws UserException if a link leads nowhere or a folder cannot be read
   */
  public static List<Path> files(Path folder) {
    List<Path> files = new ArrayList<>();
    SimpleFileVisitor<Path> visitor =
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path entered, BasicFileAttributes attributes) {
            return !entered.equals(folder) && isDebris(entered)
                ? FileVisitResult.SKIP_SUBTREE
                : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            if (attributes.isSymbolicLink()) {
              throw new UserException(file + " is a link to a file that is not there.");
            }
            if (attributes.isRegularFile() && !isDebris(file)) {
              files.add(file.normalize());
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
            if (e instanceof FileSystemLoopException) {
              return FileVisitResult.CONTINUE; // a link to a folder that it lies in
            }
            throw e;
          }
        };
    try {
      Files.walkFileTree(
          folder, EnumSet.of(FileVisitOption.FOLLOW_LINKS), Integer.MAX_VALUE, visitor);
    } catch (IOException e) {
      throw new UserException(folder + " cannot be read: " + UserException.reason(e) + ".", e);
    }
    files.sort(null);
    return files;
  }

  private static boolean isDebris(Path file) {
    String name = file.getFileName().toString();
    return name.startsWith(".") || DEBRIS.contains(name.toLowerCase(Locale.ROOT));
  }

  /** Whether a file's name says that it is about the data: a licence, a description. */
  public static boolean isDocument(Path file) {
    return DOCUMENT.matcher(file.getFileName().toString()).matches();
  }
}

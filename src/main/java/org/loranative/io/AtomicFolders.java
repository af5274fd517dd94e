package org.loranative.io;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.stream.Stream;

/**
 * Folders that bear their name only while they are whole, whenever the process or the power ends.
 * One that is being written or deleted is called {@code NAME.partial}; one that is about to be
 * replaced, {@code NAME.replaced}, which {@link #recover} renames back if its successor did not
 * come.
 */
public final class AtomicFolders {
  private static final String PARTIAL = ".partial";
  private static final String REPLACED = ".replaced";

  private AtomicFolders() {}

  /** Fills a folder. */
  public interface Writer {
    void write(Path folder) throws IOException;
  }

  /** Replaces {@code folder}; on any failure the old one stays and the new is removed. */
  public static void write(Path folder, Writer writer) throws IOException {
    Path target = folder.toAbsolutePath();
    Path partial = sibling(target, PARTIAL);
    Path replaced = sibling(target, REPLACED);
    deleteTree(partial);
    try {
      Files.createDirectories(partial);
      writer.write(partial);
      AtomicFiles.sync(partial);
      boolean replaces = Files.exists(target);
      if (replaces) {
        deleteTree(replaced);
        move(target, replaced);
      }
      try {
        move(partial, target);
      } catch (IOException e) {
        if (replaces) {
          move(replaced, target);
        }
        throw e;
      }
      AtomicFiles.sync(target.getParent());
    } finally {
      deleteTree(partial);
    }
    deleteTree(replaced);
  }

  /** Deletes a folder and all in it; links are removed, not followed. */
  public static void delete(Path folder) throws IOException {
    Path target = folder.toAbsolutePath();
    if (!Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    Path partial = sibling(target, PARTIAL);
    deleteTree(partial);
    move(target, partial);
    AtomicFiles.sync(target.getParent());
    deleteTree(partial);
  }

  /** Brings what {@code parent} holds back in order after a kill. */
  public static void recover(Path parent) throws IOException {
    for (Path left : leftovers(parent)) {
      String name = left.getFileName().toString();
      Path target = left.resolveSibling(name.substring(0, name.length() - ending(name).length()));
      if (ending(name).equals(REPLACED) && !Files.exists(target)) {
        move(left, target);
      } else {
        deleteTree(left);
      }
    }
  }

  /** What a kill left in {@code parent}. */
  public static List<Path> leftovers(Path parent) throws IOException {
    try (Stream<Path> files = Files.list(parent)) {
      return files.filter(f -> !ending(f.getFileName().toString()).isEmpty()).sorted().toList();
    }
  }

  private static String ending(String name) {
    return Stream.of(PARTIAL, REPLACED).filter(name::endsWith).findFirst().orElse("");
  }

  private static Path sibling(Path folder, String ending) {
    return folder.resolveSibling(folder.getFileName() + ending);
  }

  private static void move(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
  }

  private static void deleteTree(Path folder) throws IOException {
    if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes a) throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path f, IOException e) throws IOException {
            if (e != null) {
              throw e;
            }
            Files.delete(f);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}

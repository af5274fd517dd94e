package org.loranative.io;

import java.io.IOException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Predicate;

/** Files below a folder, behind links too. */
public final class FolderWalk {
  private FolderWalk() {}

  /**
   * The regular files that are wanted, each once, by path. What cannot be read, and a link that
   * leads back, hides nothing else.
   *
   * @param unread is told of folders that cannot be read
   */
  public static List<Path> files(
      Path root, int depth, Predicate<Path> wanted, BiConsumer<Path, IOException> unread) {
    List<Path> found = new ArrayList<>();
    Set<Object> seen = new HashSet<>();
    try {
      Files.walkFileTree(
          root,
          EnumSet.of(FileVisitOption.FOLLOW_LINKS),
          depth,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes a) {
              Object key = a.fileKey() == null ? file : a.fileKey();
              if (a.isRegularFile() && wanted.test(file) && seen.add(key)) {
                found.add(file);
              }
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) {
              unread.accept(file, e);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path folder, IOException e) {
              if (e != null) {
                unread.accept(folder, e);
              }
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      unread.accept(root, e);
    }
    found.sort(null);
    return found;
  }
}

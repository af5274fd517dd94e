package org.loranative.train.runs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.loranative.io.AtomicFolders;
import org.loranative.train.RunFolder;

/**
 * Removes what finished runs no longer need: old checkpoints, and logs of a certain age. Never an
 * adapter that was exported, and nothing of a run that trains just now.
 *
 * @param keep newest checkpoints of each run that stay
 * @param logsOlderThan what makes logs old; empty to keep all
 */
public record Prune(int keep, Optional<Duration> logsOlderThan) {

  /** Something to remove. */
  public record Item(Path path, long bytes) {}

  /** What would go of these runs; runs that are in use are named in {@code inUse}. */
  public List<Item> items(List<RunInfo> runs, List<String> inUse) throws IOException {
    List<Item> items = new ArrayList<>();
    for (RunInfo run : runs) {
      if (RunFolder.isInUse(run.folder())) {
        inUse.add(run.name());
        continue;
      }
      for (Path left : AtomicFolders.leftovers(run.folder())) {
        items.add(new Item(left, size(left)));
      }
      List<Path> checkpoints = RunFolder.checkpoints(run.folder());
      for (Path old : checkpoints.subList(0, Math.max(0, checkpoints.size() - keep))) {
        items.add(new Item(old, size(old)));
      }
      if (logsOlderThan.isPresent() && age(run.folder()).compareTo(logsOlderThan.get()) > 0) {
        items.add(new Item(run.folder().resolve("logs"), size(run.folder().resolve("logs"))));
      }
    }
    return items;
  }

  public static void remove(Item item) throws IOException {
    AtomicFolders.delete(item.path());
  }

  private static Duration age(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder.resolve("logs"))) {
      Instant newest = Instant.EPOCH;
      for (Path file : files.toList()) {
        FileTime time = Files.getLastModifiedTime(file);
        newest = time.toInstant().isAfter(newest) ? time.toInstant() : newest;
      }
      return Duration.between(newest, Instant.now());
    }
  }

  private static long size(Path tree) throws IOException {
    try (Stream<Path> files = Files.walk(tree)) {
      long bytes = 0;
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        bytes += Files.size(file);
      }
      return bytes;
    }
  }
}

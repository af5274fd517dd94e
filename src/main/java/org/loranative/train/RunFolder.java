package org.loranative.train;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.loranative.UserException;
import org.loranative.io.AtomicFiles;
import org.loranative.track.RecordedRun;

/** {@code output_dir}: logs, checkpoints, adapter. */
final class RunFolder implements AutoCloseable {
  private static final String CHECKPOINT = "checkpoint-";
  private static final String PARTIAL = ".partial";
  private static final String LOCK = ".lock";

  private final Path folder;
  private final FileChannel lock;

  /**
   * @throws UserException if it is in use and {@code resume} is false
   */
  RunFolder(Path folder, boolean resume) {
    this.folder = folder;
    if (!resume && Files.exists(folder) && !isUnused(folder)) {
      throw new UserException(
          "output_dir "
              + folder
              + " already holds a run. Add --resume to continue it, or name another folder.");
    }
    try {
      Files.createDirectories(folder.resolve("logs"));
      lock = lock(folder);
      try (Stream<Path> files = Files.list(folder)) {
        files
            .filter(f -> f.getFileName().toString().endsWith(PARTIAL))
            .forEach(AtomicFiles::deleteTree);
      }
    } catch (IOException e) {
      throw new UserException("output_dir " + folder + " cannot be written: " + e.getMessage(), e);
    }
  }

  /**
   * Held until the process ends, however it ends: two runs in one folder would mix their results.
   */
  private static FileChannel lock(Path folder) throws IOException {
    FileChannel channel =
        FileChannel.open(folder.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    boolean locked = false;
    try {
      locked = channel.tryLock() != null;
    } catch (OverlappingFileLockException e) {
      // held by this very process
    }
    if (!locked) {
      channel.close();
      throw new UserException("Another process is training in output_dir " + folder + ".");
    }
    return channel;
  }

  /** Whether a process trains in a run's folder. */
  static boolean isInUse(Path folder) throws IOException {
    Path lock = folder.resolve(LOCK);
    if (!Files.exists(lock)) {
      return false;
    }
    try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.WRITE)) {
      return channel.tryLock() == null;
    } catch (OverlappingFileLockException e) {
      return true;
    }
  }

  @Override
  public void close() throws IOException {
    lock.close();
  }

  private static boolean isUnused(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.findAny().isEmpty();
    } catch (IOException e) {
      return false;
    }
  }

  Path logs() {
    return folder.resolve("logs");
  }

  /** Previews of a diffusion run. */
  Path samples() {
    return folder.resolve("samples");
  }

  Path root() {
    return folder;
  }

  /** What the run has recorded so far. */
  RecordedRun recorded() {
    return new RecordedRun(logs()).readAll();
  }

  Path config() {
    return folder.resolve("config.yaml");
  }

  /** Checkpoints, oldest first. Only whole ones bear the name. */
  List<Path> checkpoints() {
    return checkpoints(folder);
  }

  /** Those of any run. */
  static List<Path> checkpoints(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(f -> f.getFileName().toString().matches(CHECKPOINT + "[0-9]+"))
          .sorted(Comparator.comparingInt(RunFolder::step))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Optional<Path> newestCheckpoint() {
    List<Path> all = checkpoints();
    return all.isEmpty() ? Optional.empty() : Optional.of(all.get(all.size() - 1));
  }

  /** The step of a checkpoint's name. */
  static int step(Path checkpoint) {
    return Integer.parseInt(checkpoint.getFileName().toString().substring(CHECKPOINT.length()));
  }

  /** The adapter with the lowest validation loss. */
  Path best() {
    return folder.resolve("best");
  }

  /** Replaces the best adapter. */
  void saveBest(CheckpointWriter writer) throws IOException {
    Path partial = folder.resolve("best" + PARTIAL);
    Path old = folder.resolve("best-before" + PARTIAL);
    AtomicFiles.deleteTree(partial);
    AtomicFiles.deleteTree(old);
    try {
      Files.createDirectories(partial);
      writer.write(partial);
      if (Files.exists(best())) {
        Files.move(best(), old, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
      }
      Files.move(partial, best(), java.nio.file.StandardCopyOption.ATOMIC_MOVE);
    } finally {
      AtomicFiles.deleteTree(partial);
      AtomicFiles.deleteTree(old);
    }
  }

  /** Drops the checkpoints of a way that was not gone on. */
  void dropCheckpointsAfter(int step) {
    checkpoints().stream().filter(c -> step(c) > step).forEach(AtomicFiles::deleteTree);
  }

  /** Writes into a folder that bears the checkpoint's name only once it is whole. */
  interface CheckpointWriter {
    void write(Path folder) throws IOException;
  }

  /** Saves a checkpoint, then drops the oldest beyond {@code keep}. */
  Path saveCheckpoint(int step, int keep, CheckpointWriter writer) throws IOException {
    Path target = folder.resolve(CHECKPOINT + step);
    Path partial = folder.resolve(CHECKPOINT + step + PARTIAL);
    AtomicFiles.deleteTree(partial);
    try {
      Files.createDirectories(partial);
      writer.write(partial);
      AtomicFiles.deleteTree(target);
      Files.move(partial, target, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
    } finally {
      AtomicFiles.deleteTree(partial);
    }
    List<Path> all = checkpoints();
    all.subList(0, Math.max(0, all.size() - keep)).forEach(AtomicFiles::deleteTree);
    return target;
  }
}

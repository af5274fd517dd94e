package org.loranative.train;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.loranative.UserException;
import org.loranative.io.AtomicFolders;
import org.loranative.lora.AdapterState;
import org.loranative.track.RecordedRun;
import org.loranative.track.RunStatus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code output_dir}: logs, checkpoints, adapter. */
public final class RunFolder implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(RunFolder.class);
  private static final String DAMAGED = ".damaged";
  private static final String LOCK = ".lock";
  private static final String TRAIN_LOG = "logs/train.log";

  private final Path folder;
  private final boolean resumed;
  private final boolean isNew;
  private final FileChannel lock;

  /**
   * @throws UserException if it is in use and {@code resume} is false
   */
  public RunFolder(Path folder, boolean resume) {
    this.folder = folder;
    this.resumed = resume;
    this.isNew = !Files.exists(folder);
    if (!resume) {
      requireUnused(folder);
    }
    try {
      Files.createDirectories(folder.resolve("logs"));
      lock = lock(folder);
      AtomicFolders.recover(folder); // under the lock
    } catch (IOException e) {
      throw new UserException("output_dir " + folder + " cannot be written: " + e.getMessage(), e);
    }
  }

  /**
   * Refuses a folder that a new run cannot have.
   *
   * @throws UserException saying how to go on with the run in it
   */
  public static void requireUnused(Path folder) {
    if (Files.exists(folder) && !isUnused(folder)) {
      throw new UserException(
          "output_dir "
              + folder
              + " already holds a run. Add --resume to continue it, or name another folder.");
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
  public static boolean isInUse(Path folder) throws IOException {
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

  /** A run that ended before it began leaves no folder behind, which the next one would refuse. */
  @Override
  public void close() throws IOException {
    try (lock) {
      if (isNew && isUnused(folder)) {
        AtomicFolders.delete(folder);
      }
    }
  }

  /** Whether it is empty, or a run was killed in it before it began. */
  private static boolean isUnused(Path folder) {
    Set<Path> early =
        Set.of(
            folder.resolve(LOCK),
            folder.resolve("logs"),
            folder.resolve(TRAIN_LOG),
            folder.resolve("logs").resolve(RunStatus.FILE));
    try (Stream<Path> files = Files.walk(folder)) {
      return files.allMatch(f -> f.equals(folder) || early.contains(f));
    } catch (IOException e) {
      return false;
    }
  }

  /** Everything that was logged. */
  public Path trainLog() {
    return folder.resolve(TRAIN_LOG);
  }

  public Path logs() {
    return folder.resolve("logs");
  }

  /** Previews of a diffusion run. */
  Path samples() {
    return folder.resolve("samples");
  }

  public Path root() {
    return folder;
  }

  /** What the run has recorded so far. */
  public RecordedRun recorded() {
    return new RecordedRun(logs()).readAll();
  }

  public Path config() {
    return folder.resolve("config.yaml");
  }

  /** Checkpoints, oldest first. Only whole ones bear the name. */
  List<Path> checkpoints() {
    return checkpoints(folder);
  }

  /** Those of any run. */
  public static List<Path> checkpoints(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(f -> f.getFileName().toString().matches(Checkpoint.NAME + "(0|[1-9][0-9]{0,8})"))
          .filter(Files::isDirectory)
          .sorted(Comparator.comparingInt(Checkpoint::step))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A checkpoint as it lies on disk. */
  public record Saved(Path folder, Checkpoint checkpoint) {}

  /**
   * The newest whole checkpoint of a step before {@code limit}; damaged ones are named and passed
   * over.
   */
  Optional<Saved> newestWhole(int limit) {
    List<Path> all = checkpoints();
    for (int i = all.size() - 1; i >= 0; i--) {
      if (Checkpoint.step(all.get(i)) < limit) {
        try {
          return Optional.of(new Saved(all.get(i), Checkpoint.read(all.get(i))));
        } catch (Checkpoint.DamagedException e) {
          log.warn("{} It is passed over.", e.getMessage());
        }
      }
    }
    return Optional.empty();
  }

  /**
   * The newest whole checkpoint, which a resumed run goes on from; none at its beginning.
   *
   * @throws UserException if it is none of this identity, or none is whole; nothing has changed
   *     then
   */
  public Optional<Saved> newest(RunIdentity identity) {
    Optional<Saved> newest = newestWhole(Integer.MAX_VALUE);
    newest.ifPresent(n -> identity.requireSame(n.checkpoint().identity(), n.folder()));
    if (newest.isEmpty() && !checkpoints().isEmpty()) {
      throw new UserException(
          "output_dir "
              + folder
              + " holds no whole checkpoint to resume from. Delete the damaged ones to start from"
              + " the beginning, or name another folder.");
    }
    return newest;
  }

  /**
   * Where a run stands: at its newest checkpoint, else at its beginning.
   *
   * @param newest see {@link #newest}
   * @param state is filled from it
   * @param begin fills the state at the beginning
   */
  public Checkpoint start(
      Optional<Saved> newest, RunIdentity identity, AdapterState state, Runnable begin)
      throws IOException {
    if (newest.isPresent()) {
      Checkpoint checkpoint = newest.get().checkpoint();
      Checkpoint.restore(newest.get().folder(), state, identity);
      setAsideAfter(checkpoint.step());
      log.info("Resuming from {}", newest.get().folder());
      return checkpoint;
    }
    if (resumed) {
      log.info("No checkpoint yet: starting from the beginning.");
    }
    begin.run();
    return Checkpoint.start(identity);
  }

  /** Takes the name from checkpoints that were passed over, so that none is taken for newer. */
  private void setAsideAfter(int step) throws IOException {
    for (Path checkpoint : checkpoints()) {
      if (Checkpoint.step(checkpoint) > step) {
        Path aside = checkpoint.resolveSibling(checkpoint.getFileName() + DAMAGED);
        AtomicFolders.delete(aside);
        Files.move(checkpoint, aside, StandardCopyOption.ATOMIC_MOVE);
        log.warn("{} is now called {}.", checkpoint, aside.getFileName());
      }
    }
  }

  /** The adapter with the lowest validation loss. */
  public Path best() {
    return folder.resolve("best");
  }

  /** Replaces the best adapter. */
  void saveBest(AtomicFolders.Writer writer) throws IOException {
    AtomicFolders.write(best(), writer);
  }

  /** Drops the checkpoints of a way that was not gone on. */
  void dropCheckpointsAfter(int step) throws IOException {
    for (Path checkpoint : checkpoints()) {
      if (Checkpoint.step(checkpoint) > step) {
        AtomicFolders.delete(checkpoint);
      }
    }
  }

  void saveCheckpoint(int step, AtomicFolders.Writer writer) throws IOException {
    AtomicFolders.write(folder.resolve(Checkpoint.NAME + step), writer);
  }

  /** Drops the oldest checkpoints beyond {@code keep}. */
  void pruneCheckpoints(int keep) throws IOException {
    List<Path> all = checkpoints();
    for (Path old : all.subList(0, Math.max(0, all.size() - keep))) {
      AtomicFolders.delete(old);
    }
  }
}

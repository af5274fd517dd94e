package org.loranative.board;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import org.loranative.diagnose.Doctor;
import org.loranative.diagnose.Finding;
import org.loranative.diagnose.RunCurves;
import org.loranative.io.FolderWalk;
import org.loranative.track.RecordedRun;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The runs under some folders: found, read, and read on while they are written. */
final class Runs implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Runs.class);
  private static final int DEEPEST = 8;
  private static final long PAUSE_MILLIS = 1000;
  private static final long SETTLED_NANOS = 2_000_000_000L;

  private final List<Path> roots;
  private final Map<String, Entry> entries = new TreeMap<>();
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
  private final Thread reader;
  private volatile boolean closed;

  /** A run and what the doctor says of it. */
  static final class Entry {
    final String name;
    final RecordedRun run;
    private volatile boolean givenUp;
    private long examinedPoints = -1;
    private long examinedAt;
    private List<Finding> findings = List.of();

    Entry(String name, RecordedRun run) {
      this.name = name;
      this.run = run;
    }

    synchronized List<Finding> findings() {
      return findings;
    }

    /** Examines the run again where there is something new; returns whether it did. */
    private synchronized boolean examine() {
      long points = run.points();
      boolean fresh = System.nanoTime() - examinedAt < SETTLED_NANOS && examinedPoints >= 0;
      if (points == examinedPoints || fresh) {
        return false;
      }
      examinedPoints = points;
      RunCurves curves = RunCurves.of(run);
      findings = curves.loss().size() > 0 ? Doctor.examine(curves) : List.of();
      examinedAt = System.nanoTime();
      return true;
    }
  }

  Runs(List<Path> roots) {
    this.roots = List.copyOf(roots);
    reader = new Thread(this::follow, "board-reader");
    reader.setDaemon(true);
    reader.start();
  }

  /** Called after something was read, from the reading thread. */
  void onChange(Runnable listener) {
    listeners.add(listener);
  }

  void removeListener(Runnable listener) {
    listeners.remove(listener);
  }

  synchronized List<Entry> all() {
    return List.copyOf(entries.values());
  }

  synchronized Optional<Entry> find(String name) {
    return Optional.ofNullable(entries.get(name));
  }

  private void follow() {
    while (!closed) {
      try {
        discover();
        boolean news = false;
        for (Entry entry : all()) {
          news |= attempt(entry, () -> readOn(entry));
        }
        for (Entry entry : all()) {
          news |= attempt(entry, entry::examine);
        }
        if (news) {
          tell();
        }
      } catch (RuntimeException | OutOfMemoryError e) { // this thread is the only one that reads
        log.warn("The runs could not be read: {}", e.getMessage());
        log.debug("reading runs", e);
      }
      try {
        Thread.sleep(PAUSE_MILLIS);
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  /** One run that cannot be read, or is too large for the memory, takes nothing from the others. */
  boolean attempt(Entry entry, BooleanSupplier work) {
    if (entry.givenUp) {
      return false;
    }
    try {
      return work.getAsBoolean();
    } catch (OutOfMemoryError e) {
      entry.givenUp = true;
      log.warn(
          "{} is read no further: Java's memory is full. Start the board with more, as in"
              + " java -Xmx8g -jar lora-native.jar board, or on fewer runs.",
          entry.name);
    } catch (RuntimeException e) {
      log.warn("{} could not be read: {}", entry.name, e.getMessage());
      log.debug("reading {}", entry.name, e);
    }
    return false;
  }

  private void tell() {
    listeners.forEach(Runnable::run);
  }

  /** Reads what is new of a run, telling of it now and then when it is much. */
  private boolean readOn(Entry entry) {
    long before = entry.run.events();
    long told = System.nanoTime();
    try {
      while (!closed && entry.run.refresh()) {
        if (System.nanoTime() - told > 300_000_000L) {
          tell();
          told = System.nanoTime();
        }
      }
    } catch (IOException | UncheckedIOException e) {
      log.debug("{} cannot be read now: {}", entry.name, e.getMessage());
    }
    return entry.run.events() != before;
  }

  private void discover() {
    Map<String, Path> found = new TreeMap<>();
    for (Path root : roots) {
      for (Path folder : folders(root)) {
        String name = name(root, folder);
        while (found.containsKey(name) && !found.get(name).equals(folder)) {
          name += "'";
        }
        found.put(name, folder);
      }
    }
    synchronized (this) {
      entries.keySet().retainAll(found.keySet());
      found.forEach(
          (name, folder) ->
              entries.computeIfAbsent(name, n -> new Entry(n, new RecordedRun(folder))));
    }
  }

  /** Folders that hold event files. */
  private static List<Path> folders(Path root) {
    return Files.isDirectory(root)
        ? FolderWalk.files(
                root,
                DEEPEST,
                RecordedRun::isEventFile,
                (at, e) -> log.debug("{} cannot be read: {}", at, e.getMessage()))
            .stream()
            .map(Path::getParent)
            .distinct()
            .toList()
        : List.of();
  }

  /** The path below the root, without the {@code logs} that runs keep their files in. */
  private String name(Path root, Path folder) {
    String below = root.relativize(folder).toString().replace('\\', '/');
    String name = below.replaceAll("(^|/)logs$", "");
    String top = root.toAbsolutePath().normalize().getFileName() + "";
    if (name.isEmpty()) {
      return top.equals("logs")
          ? root.toAbsolutePath().normalize().getParent().getFileName() + ""
          : top;
    }
    return roots.size() > 1 ? top + "/" + name : name;
  }

  @Override
  public void close() {
    closed = true;
    reader.interrupt();
  }
}

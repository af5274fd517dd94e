package org.loranative.board.runs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.loranative.track.RunPlaces;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The runs under some folders: found, read, and read on while they are written. */
public final class Runs implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Runs.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long PAUSE_MILLIS = 1000;
  private static final long ROUND_NANOS = 1_000_000_000L;

  /** A new run is seen within this time, however long the search takes. */
  private static final long LONGEST_BLIND_NANOS = 4_000_000_000L;

  /** Folders are searched for about this part of the time. */
  private static final int SEARCH_PART = 20;

  private final List<Path> roots;
  private final Map<String, RunEntry> entries = new TreeMap<>();
  private final Map<String, Long> gone = new TreeMap<>();
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
  private final AtomicLong changes = new AtomicLong();
  private final Thread reader;
  private long searchAgain;
  private volatile boolean closed;

  public Runs(List<Path> roots) {
    this.roots = List.copyOf(roots);
    searchAgain = System.nanoTime();
    reader = new Thread(this::follow, "board-reader");
    reader.setDaemon(true);
    reader.start();
  }

  /** Called after something was read, from the reading thread. */
  public void onChange(Runnable listener) {
    listeners.add(listener);
  }

  public void removeListener(Runnable listener) {
    listeners.remove(listener);
  }

  public synchronized List<RunEntry> all() {
    return List.copyOf(entries.values());
  }

  public synchronized Optional<RunEntry> find(String name) {
    return Optional.ofNullable(entries.get(name));
  }

  /** The folders that are looked at. */
  public List<Path> roots() {
    return roots;
  }

  /** The row changes by the page's own doing. */
  public void changed(RunEntry entry) {
    touch(entry);
    entry.hurry();
    tell();
  }

  /**
   * The rows that changed after {@code since}, names of runs that are gone, and {@code now}, to ask
   * with next.
   */
  public synchronized JsonNode since(long since) {
    ObjectNode answer = JSON.createObjectNode();
    answer.put("now", changes.get());
    boolean other = since > changes.get(); // of a board that was started before this one
    answer.put("whole", since <= 0 || other);
    ArrayNode rows = answer.putArray("runs");
    entries.values().stream()
        .filter(e -> other || since <= 0 || e.version() > since)
        .forEach(e -> rows.add(e.row()));
    ArrayNode names = answer.putArray("gone");
    gone.forEach(
        (name, at) -> {
          if (at > since) {
            names.add(name);
          }
        });
    return answer;
  }

  private void follow() {
    while (!closed) {
      try {
        long start = System.nanoTime();
        boolean news = search();
        for (RunEntry entry : due(start)) {
          news |= attempt(entry);
          if (System.nanoTime() - start > ROUND_NANOS) {
            break; // the page is told, new runs are looked for, and then it goes on
          }
        }
        if (news) {
          tell();
        }
        if (System.nanoTime() - start > ROUND_NANOS) {
          continue;
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

  /** Runs whose turn it is, those that have waited longest first: none keeps another waiting. */
  private List<RunEntry> due(long now) {
    return all().stream()
        .filter(e -> e.isDue(now))
        .sorted(Comparator.comparingLong(e -> e.overdue(now)))
        .toList();
  }

  /** One run that cannot be read, or is too large for the memory, takes nothing from the others. */
  boolean attempt(RunEntry entry) {
    try {
      boolean news = entry.look(() -> closed, () -> reading(entry));
      if (news) {
        touch(entry);
      }
      return news;
    } catch (OutOfMemoryError e) {
      entry.giveUp();
      log.warn(
          "{} is read no further: Java's memory is full. Start the board with more, as in"
              + " java -Xmx8g -jar lora-native.jar board, or on fewer runs.",
          entry.name());
    } catch (RuntimeException e) {
      log.warn("{} could not be read: {}", entry.name(), e.getMessage());
      log.debug("reading {}", entry.name(), e);
    }
    return false;
  }

  private void reading(RunEntry entry) {
    touch(entry);
    tell();
  }

  /** Its row and its number change together: who asks in between is told of neither. */
  private void touch(RunEntry entry) {
    ObjectNode row = RunRow.of(entry); // takes a while
    synchronized (this) {
      entry.touch(row, changes.incrementAndGet());
    }
  }

  private void tell() {
    listeners.forEach(Runnable::run);
  }

  /** Looks for runs; seldom where that takes long. */
  private boolean search() {
    if (System.nanoTime() - searchAgain < 0) {
      return false;
    }
    long start = System.nanoTime();
    Map<String, RunPlaces.Place> found = new TreeMap<>();
    for (Path root : roots) {
      for (RunPlaces.Place place :
          RunPlaces.below(
              root, (at, e) -> log.debug("{} cannot be read: {}", at, e.getMessage()))) {
        String name = name(root, place);
        while (found.containsKey(name) && !found.get(name).logs().equals(place.logs())) {
          name += "'";
        }
        found.put(name, place);
      }
    }
    boolean news = take(found);
    long took = System.nanoTime() - start;
    searchAgain = System.nanoTime() + Math.min(LONGEST_BLIND_NANOS, took * SEARCH_PART);
    return news;
  }

  private synchronized boolean take(Map<String, RunPlaces.Place> found) {
    boolean news = false;
    for (String name : List.copyOf(entries.keySet())) {
      boolean same = found.containsKey(name) && found.get(name).equals(entries.get(name).place());
      if (!same) {
        entries.remove(name);
        gone.put(name, changes.incrementAndGet());
        news = true;
      }
    }
    List<RunEntry> fresh = new ArrayList<>();
    for (Map.Entry<String, RunPlaces.Place> f : found.entrySet()) {
      if (!entries.containsKey(f.getKey())) {
        RunEntry entry = new RunEntry(f.getKey(), f.getValue());
        touch(entry);
        entries.put(f.getKey(), entry);
        gone.remove(f.getKey());
        fresh.add(entry);
        news = true;
      }
    }
    fresh.sort(Comparator.comparingLong(RunEntry::started).reversed());
    fresh.forEach(RunEntry::hurry); // the newest are read first, as the page shows those
    return news;
  }

  /** The path below the root, or the root's own name. */
  private String name(Path root, RunPlaces.Place place) {
    Path whole = root.toAbsolutePath().normalize();
    String top = String.valueOf(whole.getFileName());
    if (place.name().isEmpty()) {
      boolean isLogs = top.equals(RunPlaces.LOGS) && whole.getParent() != null;
      return isLogs ? String.valueOf(whole.getParent().getFileName()) : top;
    }
    return roots.size() > 1 ? top + "/" + place.name() : place.name();
  }

  @Override
  public void close() {
    closed = true;
    reader.interrupt();
  }
}

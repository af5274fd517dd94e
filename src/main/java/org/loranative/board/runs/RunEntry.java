package org.loranative.board.runs;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.loranative.diagnose.Doctor;
import org.loranative.diagnose.Finding;
import org.loranative.diagnose.RunCurves;
import org.loranative.track.RecordedRun;
import org.loranative.track.RunPlaces;
import org.loranative.track.RunStatus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A run: what was read of it, what the doctor says, and the row that the page gets. Those that stay
 * as they are are looked at ever less often.
 */
public final class RunEntry {
  private static final Logger log = LoggerFactory.getLogger(RunEntry.class);
  private static final long SETTLED_NANOS = 2_000_000_000L;
  private static final long SOON_NANOS = 900_000_000L;
  private static final long SELDOM_NANOS = 15_000_000_000L;

  private final String name;
  private final RunPlaces.Place place;
  private final RecordedRun recorded;
  private boolean givenUp;
  private boolean fresh = true;
  private long examinedPoints = -1;
  private long examinedAt;
  private long nextLook;
  private long pause = SOON_NANOS;
  private long marksTime = -1;
  private List<Finding> findings = List.of();
  private RunStatus.State state = RunStatus.State.UNKNOWN;
  private volatile long version;
  private volatile ObjectNode row;

  RunEntry(String name, RunPlaces.Place place) {
    this.name = name;
    this.place = place;
    nextLook = System.nanoTime();
    recorded = new RecordedRun(place.logs(), place.beside());
    row = RunRow.unread(this);
  }

  public String name() {
    return name;
  }

  public RunPlaces.Place place() {
    return place;
  }

  /** What its event files hold. */
  public RecordedRun recorded() {
    return recorded;
  }

  public synchronized List<Finding> findings() {
    return findings;
  }

  public synchronized RunStatus.State state() {
    return state;
  }

  /** What the page knows of it. */
  public ObjectNode row() {
    return row;
  }

  /** When it began, in seconds since 1970; 0 if no file says. */
  long started() {
    return row.path("started").asLong();
  }

  /** When its row last changed, in {@link Runs}' count. */
  long version() {
    return version;
  }

  /** The row is told of again, as the {@code now}-th change. */
  void touch(ObjectNode newest, long now) {
    row = newest;
    version = now;
  }

  boolean isDue(long now) {
    return !givenUp && now - nextLook >= 0;
  }

  /** How long its turn is to come, in nanoseconds: negative if it has come. */
  long overdue(long now) {
    return nextLook - now;
  }

  /** Looks at it soon, as after something was asked of it. */
  void hurry() {
    pause = SOON_NANOS;
    nextLook = System.nanoTime();
  }

  /**
   * Reads on and examines it.
   *
   * @param telling is called now and then while there is much to read
   * @return whether the row is another one
   */
  boolean look(BooleanSupplier closed, Runnable telling) {
    long before = recorded.events();
    long rewinds = recorded.rewinds();
    boolean complete = recorded.isComplete();
    readOn(closed, telling);
    boolean judged = examine();
    boolean stateChanged = lookAtState();
    boolean marksChanged = lookAtMarks();
    boolean news =
        fresh
            || recorded.events() != before
            || recorded.rewinds() != rewinds
            || recorded.isComplete() != complete
            || judged
            || stateChanged
            || marksChanged;
    fresh = false;
    pause =
        news || state() == RunStatus.State.RUNNING
            ? SOON_NANOS
            : Math.min(SELDOM_NANOS, pause + pause / 2);
    nextLook = System.nanoTime() + pause;
    return news;
  }

  /** It is read no further. */
  void giveUp() {
    givenUp = true;
  }

  private void readOn(BooleanSupplier closed, Runnable telling) {
    long told = System.nanoTime();
    try {
      while (!closed.getAsBoolean() && recorded.refresh()) {
        if (System.nanoTime() - told > 300_000_000L) {
          telling.run();
          told = System.nanoTime();
        }
      }
    } catch (IOException | UncheckedIOException e) {
      log.debug("{} cannot be read now: {}", name, e.getMessage());
    }
  }

  private synchronized boolean examine() {
    long points = recorded.points();
    boolean settled = System.nanoTime() - examinedAt >= SETTLED_NANOS || examinedPoints < 0;
    if (points == examinedPoints || !settled) {
      return false;
    }
    examinedPoints = points;
    RunCurves curves = RunCurves.of(recorded);
    findings = curves.loss().size() > 0 ? Doctor.examine(curves) : List.of();
    examinedAt = System.nanoTime();
    return true;
  }

  private synchronized boolean lookAtState() {
    RunStatus.State before = state;
    state = RunState.of(this);
    return state != before;
  }

  private boolean lookAtMarks() {
    Path file = RunMarks.file(place().folder());
    long time = -1;
    try {
      time = Files.isRegularFile(file) ? Files.getLastModifiedTime(file).toMillis() : 0;
    } catch (IOException e) {
      log.debug("{}: {}", file, e.getMessage());
    }
    boolean other = marksTime != time && marksTime >= 0;
    marksTime = time;
    return other;
  }
}

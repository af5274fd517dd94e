package org.loranative.track;

import org.loranative.StoppedException;
import org.loranative.Stopping;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Long work beside the training steps, of many like parts: says every few seconds how far it is,
 * and ends between two parts when it is asked to.
 */
public final class Phase {
  private static final Logger log = LoggerFactory.getLogger(Phase.class);
  private static final long INTERVAL_NANOS = 5_000_000_000L;

  private final String what;
  private final int total;
  private final long interval;
  private int done;
  private long said = System.nanoTime();
  private boolean hasSpoken;

  /**
   * @param what its parts are, and what happens to them: {@code images encoded}
   */
  public Phase(String what, int total) {
    this(what, total, INTERVAL_NANOS);
  }

  Phase(String what, int total, long interval) {
    this.what = what;
    this.total = total;
    this.interval = interval;
  }

  /** One of which nobody knows how many parts there are. */
  public Phase(String what) {
    this(what, 0);
  }

  /**
   * To be called before each part.
   *
   * @throws StoppedException if the work is to end here
   */
  public void next() {
    if (Stopping.isAsked()) {
      throw new StoppedException(String.format("Stopped at %s; --resume goes on.", position()));
    }
    long now = System.nanoTime();
    if (now - said >= interval) {
      said = now;
      hasSpoken = true;
      log.info(position());
    }
    done++;
  }

  /** To be called when all is done: ends what was said of it with its last number. */
  public void end() {
    if (hasSpoken) {
      log.info(position());
    }
  }

  private String position() {
    return total > 0
        ? String.format("%d of %d %s", done, total, what)
        : String.format("%d %s", done, what);
  }
}

package org.loranative.track;

import org.loranative.StoppedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Long work beside the training steps, of many like parts: says every few seconds how far it is,
 * and ends between two parts when it is asked to.
 */
public final class Phase {
  private static final Logger log = LoggerFactory.getLogger(Phase.class);
  private static final long INTERVAL_NANOS = 5_000_000_000L;

  /** One for the process, as signals are. */
  private static volatile boolean stopping;

  private final String what;
  private final int total;
  private int done;
  private long said = System.nanoTime();

  /**
   * @param what its parts are, and what happens to them: {@code images encoded}
   */
  public Phase(String what, int total) {
    this.what = what;
    this.total = total;
  }

  /** Asks every phase to end. */
  public static void stopAll() {
    stopping = true;
  }

  /**
   * To be called before each part.
   *
   * @throws StoppedException if the work is to end here
   */
  public void next() {
    if (stopping) {
      throw new StoppedException(
          String.format("Stopped at %d of %d %s; --resume goes on.", done, total, what));
    }
    long now = System.nanoTime();
    if (now - said >= INTERVAL_NANOS) {
      said = now;
      log.info("{} of {} {}", done, total, what);
    }
    done++;
  }
}

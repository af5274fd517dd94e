package org.loranative.train;

import java.util.function.BooleanSupplier;
import org.loranative.Stopping;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sun.misc.Signal;

/**
 * Ctrl-C: the step in progress is given up and a checkpoint of the one before is saved, or the
 * phase before the first step ends between two of its parts; then the process exits. A second
 * Ctrl-C ends it at once.
 */
public final class StopSignal {
  private static final Logger log = LoggerFactory.getLogger(StopSignal.class);

  /** What a shell calls the exit of a process that a signal ended: 128 and the signal's number. */
  private static final int INTERRUPTED = 130;

  private final BooleanSupplier also;
  private volatile boolean set;

  public StopSignal() {
    this(() -> false);
  }

  private StopSignal(BooleanSupplier also) {
    this.also = also;
  }

  /** One that Ctrl-C and a polite kill set. */
  public static StopSignal onSignals() {
    StopSignal stop = new StopSignal();
    for (String name : new String[] {"INT", "TERM", "HUP"}) {
      try {
        Signal.handle(new Signal(name), signal -> stop.received());
      } catch (IllegalArgumentException e) {
        log.debug("SIG{} is not ours to handle: {}", name, e.getMessage());
      }
    }
    return stop;
  }

  private void received() {
    if (set) {
      Runtime.getRuntime().halt(INTERRUPTED);
    }
    set = true;
    Stopping.ask();
    log.info("Stopping; a second Ctrl-C ends at once.");
  }

  /** One that is set when this is, and when something else asks for it. */
  public StopSignal or(BooleanSupplier other) {
    return new StopSignal(() -> isSet() || other.getAsBoolean());
  }

  public void set() {
    set = true;
  }

  public boolean isSet() {
    return set || also.getAsBoolean();
  }

  /** The exit code of a command that ended well: another one if it was stopped. */
  public int exitCode() {
    return set ? INTERRUPTED : 0;
  }
}

package org.loranative.train;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ctrl-C: the step in progress ends, a checkpoint is saved, then the process exits. The JVM ends
 * when its shutdown hooks do, so the hook waits for the trainer.
 */
public final class StopSignal {
  private static final long PATIENCE_SECONDS = 300;

  private final CountDownLatch finished = new CountDownLatch(1);
  private volatile boolean set;

  /** Installs the hook; {@link #finished} must be called when the run is over. */
  public static StopSignal onShutdown() {
    StopSignal signal = new StopSignal();
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  signal.set();
                  try {
                    signal.finished.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                  }
                },
                "stop-signal"));
    return signal;
  }

  public void set() {
    set = true;
  }

  boolean isSet() {
    return set;
  }

  /** Lets the process exit. */
  public void finished() {
    finished.countDown();
  }
}

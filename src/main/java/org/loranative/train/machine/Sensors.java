package org.loranative.train.machine;

import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.loranative.device.Device;

/** Reads what a device says of itself every few seconds, beside the steps: a reading takes time. */
public final class Sensors implements AutoCloseable {
  private static final long SECONDS = 2;

  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          work -> {
            Thread t = new Thread(work, "sensors");
            t.setDaemon(true);
            return t;
          });
  private final AtomicReference<Map<String, Double>> newest = new AtomicReference<>(Map.of());

  public Sensors(Device device) {
    var unused =
        thread.scheduleAtFixedRate(
            () -> newest.set(device.sensors()), 0, SECONDS, TimeUnit.SECONDS);
  }

  /** The newest readings by TensorBoard tag, once; empty until there are others. */
  public Map<String, Double> news() {
    return newest.getAndSet(Map.of());
  }

  @Override
  public void close() {
    thread.shutdown();
    try {
      thread.awaitTermination(5, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

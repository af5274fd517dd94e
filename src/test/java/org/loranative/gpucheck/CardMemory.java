package org.loranative.gpucheck;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Watches how much of the card's memory all processes take, ten times a second, by nvidia-smi; sees
 * nothing where that is missing.
 */
final class CardMemory implements AutoCloseable {
  private static final long MIB = 1 << 20;

  private final Optional<Process> watcher;
  private volatile long first = -1;
  private volatile long most;

  CardMemory() {
    watcher = start();
    watcher.ifPresent(w -> new Thread(() -> read(w), "card memory").start());
  }

  private static Optional<Process> start() {
    try {
      return Optional.of(
          new ProcessBuilder(
                  "nvidia-smi",
                  "--id=0",
                  "--query-gpu=memory.used",
                  "--format=csv,noheader,nounits",
                  "--loop-ms=100")
              .start());
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private void read(Process process) {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        long used = Long.parseLong(line.strip()) * MIB;
        first = first < 0 ? used : first;
        most = Math.max(most, used);
      }
    } catch (IOException | NumberFormatException e) {
      // Ended, or says something else than a number: what was seen so far stands.
    }
  }

  /** The most that was taken beyond what was at first, in bytes; 0 if nothing was seen. */
  long peakBytes() {
    return first < 0 ? 0 : most - first;
  }

  @Override
  public void close() {
    watcher.ifPresent(Process::destroy);
  }
}

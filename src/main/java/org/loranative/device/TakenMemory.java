package org.loranative.device;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/** What Linux says that this process has taken. */
public final class TakenMemory {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final String MOST = "VmHWM:";

  private TakenMemory() {}

  /**
   * Bytes that were resident at the worst moment: planned ones, Java's, libraries, mapped files.
   */
  public static OptionalLong most() {
    try {
      return Files.readAllLines(STATUS).stream()
          .filter(line -> line.startsWith(MOST))
          .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024)
          .findFirst();
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }
}

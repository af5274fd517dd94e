package org.loranative.track;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.loranative.io.JsonFile;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Files with a JSON object a line, of which a crash may have damaged some. */
public final class JsonLines {
  private static final Logger log = LoggerFactory.getLogger(JsonLines.class);

  private JsonLines() {}

  /** Takes a line. */
  public interface Taker {
    void take(String line) throws JsonProcessingException;
  }

  /**
   * Reads them all.
   *
   * @param damaged is told what is wrong with a line that is left out
   */
  public static void read(Path path, Taker taker, Consumer<String> damaged) throws IOException {
    // Bytes that are no UTF-8 are replaced, as a reader made from the path would not.
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(Files.newInputStream(path), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        try {
          taker.take(line);
        } catch (JsonProcessingException e) {
          damaged.accept(
              String.format("A line of %s is damaged and left out: %s", path, JsonFile.problem(e)));
        }
      }
    }
  }

  /** The same where the file is there and can be read. */
  static void readWhatIsThere(Path path, Taker taker) {
    if (!Files.isRegularFile(path)) {
      return;
    }
    try {
      read(path, taker, log::debug);
    } catch (IOException e) {
      log.warn("{} cannot be read: {}", path, e.getMessage());
    }
  }
}

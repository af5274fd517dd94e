package org.loranative.data.sd;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import org.loranative.io.AtomicFiles;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Measured facts of images on disk, so that a second run need not decode them again. */
public final class FactsCache {
  private static final Logger log = LoggerFactory.getLogger(FactsCache.class);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Optional<Path> file;
  private final Map<String, ImageFacts> facts = new TreeMap<>();
  private boolean changed;

  /**
   * What facts depend on.
   *
   * @param sha256 of the file
   */
  public record Key(String sha256, int resolution, int background) {
    @Override
    public String toString() {
      return sha256 + "-" + resolution + "-" + Integer.toHexString(background);
    }
  }

  /**
   * @param folder that keeps them; none: nothing is kept
   */
  public FactsCache(Optional<Path> folder) {
    file = folder.map(f -> f.resolve("facts.json"));
    if (file.filter(Files::exists).isPresent()) {
      try {
        facts.putAll(
            JSON.readValue(file.get().toFile(), new TypeReference<Map<String, ImageFacts>>() {}));
      } catch (IOException e) {
        log.warn("{} is damaged and made anew: {}", file.get(), e.getMessage());
      }
    }
  }

  /**
   * @param measure makes them, given the hash
   */
  ImageFacts get(Key key, Function<String, ImageFacts> measure) {
    ImageFacts known = facts.get(key.toString());
    if (known == null) {
      known = measure.apply(key.sha256());
      facts.put(key.toString(), known);
      changed = true;
    }
    return known;
  }

  /** Writes what is new; a folder that cannot be written costs only the next run's time. */
  void save() {
    if (!changed || file.isEmpty()) {
      return;
    }
    try {
      Files.createDirectories(file.get().getParent());
      byte[] json = JSON.writeValueAsBytes(facts);
      AtomicFiles.write(file.get(), out -> out.write(json));
      changed = false;
    } catch (IOException e) {
      log.warn("{} could not be written: {}", file.get(), e.getMessage());
    }
  }
}

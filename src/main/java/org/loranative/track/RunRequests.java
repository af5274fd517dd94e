package org.loranative.track;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What may be asked of a run from outside its process: an empty file in {@code
 * output_dir/requests}, called {@code stop}, {@code save} or {@code sample}. The loop looks after
 * each step, and removes the file before it does what was asked. Files that are there when a run
 * begins are removed: nobody meant this session.
 */
public final class RunRequests {
  public static final String FOLDER = "requests";

  private static final Logger log = LoggerFactory.getLogger(RunRequests.class);

  private final Path folder;

  /** What can be asked. */
  public enum Request {
    /** End after this step, with a checkpoint. */
    STOP,
    /** Write a checkpoint after this step. */
    SAVE,
    /** Write the previews after this step. */
    SAMPLE;

    public final String label = name().toLowerCase(Locale.ROOT);
  }

  /**
   * @param run its {@code output_dir}
   */
  public RunRequests(Path run) {
    folder = run.resolve(FOLDER);
  }

  /** Asks; a request that waits already is the same one. */
  public void ask(Request what) throws IOException {
    Files.createDirectories(folder);
    Path file = folder.resolve(what.label);
    if (!Files.exists(file)) {
      Files.createFile(file); // a file without content is whole as soon as it is there
    }
  }

  /** Whether it is asked and not yet taken. */
  public boolean isWaiting(Request what) {
    return Files.exists(folder.resolve(what.label));
  }

  /** Whether something was asked; it is done with then. */
  public boolean take(Request what) {
    try {
      return Files.deleteIfExists(folder.resolve(what.label));
    } catch (IOException e) {
      log.warn("{} cannot be removed ({}).", folder.resolve(what.label), e.getMessage());
      return false; // else it would be done after every step
    }
  }

  /** Forgets what was asked of an earlier session. */
  public void clear() {
    for (Request r : Request.values()) {
      take(r);
    }
  }
}

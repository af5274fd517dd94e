package org.loranative.track;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.loranative.io.FolderWalk;

/** Where runs lie below a folder: the one place that says what a run's folder looks like. */
public final class RunPlaces {
  /** What our trainer writes into a run's folder. */
  public static final String CONFIG = "config.yaml";

  /** The folder in it that takes event files. */
  public static final String LOGS = "logs";

  private static final int DEEPEST = 8;

  /** PyTorch's {@code add_hparams} makes a folder called by the time, inside the run's. */
  private static final String HPARAMS = "\\d{9,11}\\.\\d+";

  private RunPlaces() {}

  /**
   * A run.
   *
   * @param name its path below the folder that was named; "" for that folder itself
   * @param logs the folder that holds its event files
   * @param beside folders whose event files are this run's too
   * @param isOurs whether our trainer wrote it, with its configuration
   */
  public record Place(String name, Path folder, Path logs, List<Path> beside, boolean isOurs) {
    public Path config() {
      return folder.resolve(CONFIG);
    }
  }

  /**
   * The runs below a folder, by name: folders that hold event files, and those of ours that hold
   * none yet.
   *
   * @param unread is told of folders that cannot be read
   */
  public static List<Place> below(Path root, BiConsumer<Path, IOException> unread) {
    if (!Files.isDirectory(root)) {
      return List.of();
    }
    Map<Path, List<Path>> logs = new TreeMap<>();
    List<Path> configs = new ArrayList<>();
    for (Path file :
        FolderWalk.files(root, DEEPEST, f -> isConfig(f) || RecordedRun.isEventFile(f), unread)) {
      if (isConfig(file)) {
        configs.add(file.getParent());
      } else {
        logs.putIfAbsent(file.getParent(), new ArrayList<>());
      }
    }
    for (Path folder : configs) {
      if (Files.isDirectory(folder.resolve(LOGS))) {
        logs.putIfAbsent(folder.resolve(LOGS), new ArrayList<>());
      }
    }
    for (Path folder : List.copyOf(logs.keySet())) {
      boolean named = String.valueOf(folder.getFileName()).matches(HPARAMS);
      if (named && logs.containsKey(folder.getParent())) {
        logs.remove(folder);
        logs.get(folder.getParent()).add(folder);
      }
    }
    List<Place> places = new ArrayList<>();
    logs.forEach((folder, beside) -> places.add(place(root, folder, beside)));
    return places;
  }

  private static boolean isConfig(Path file) {
    return file.endsWith(CONFIG);
  }

  private static Place place(Path root, Path logs, List<Path> beside) {
    boolean inner = logs.endsWith(LOGS);
    Path folder = inner ? parent(logs) : logs;
    String below = root.relativize(logs).toString().replace('\\', '/');
    String name = inner ? below.replaceAll("(^|/)" + LOGS + "$", "") : below;
    boolean ours = Files.isRegularFile(folder.resolve(CONFIG)) && inner;
    return new Place(name, folder, logs, List.copyOf(beside), ours);
  }

  private static Path parent(Path logs) {
    return logs.getParent() == null || logs.toString().equals(LOGS)
        ? logs.toAbsolutePath().normalize().getParent()
        : logs.getParent();
  }
}

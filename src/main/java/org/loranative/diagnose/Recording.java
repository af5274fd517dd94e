package org.loranative.diagnose;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.loranative.UserException;
import org.loranative.io.FolderWalk;
import org.loranative.track.RecordedRun;
import org.loranative.track.TrainerJson;

/**
 * A run that some trainer wrote.
 *
 * @param name below the place that was named
 * @param damage what is wrong with its files
 */
public record Recording(String name, RunCurves curves, List<String> damage) {
  private static final int DEEPEST = 8;

  /**
   * The runs at a place: a file, or a folder with all below it. What a run that was resumed wrote
   * in several folders is one.
   *
   * @param unreadable told of what cannot be read
   */
  public static List<Recording> at(Path place, BiConsumer<Path, Exception> unreadable) {
    if (!Files.exists(place)) {
      throw new UserException(
          place
              + " does not exist; name a run's folder, an event file or "
              + TrainerJson.STATE
              + ".");
    }
    if (Files.isRegularFile(place)) {
      return List.of(read(place, String.valueOf(place.getFileName())));
    }
    Map<Path, List<Recording>> byRun = new TreeMap<>();
    Stream.concat(
            FolderWalk.files(place, DEEPEST, RecordedRun::isEventFile, unreadable::accept).stream()
                .map(Path::getParent)
                .distinct(),
            FolderWalk.files(place, DEEPEST, TrainerJson::isOne, unreadable::accept).stream())
        .sorted()
        .forEach(
            source ->
                byRun
                    .computeIfAbsent(run(source), r -> new ArrayList<>())
                    .add(read(source, name(place, source))));
    List<Recording> all = new ArrayList<>();
    byRun.forEach((run, parts) -> all.addAll(joined(name(place, run), parts)));
    all.removeIf(r -> r.curves.loss().isEmpty());
    return all;
  }

  private static Recording read(Path source, String name) {
    if (TrainerJson.isOne(source)) {
      TrainerJson json = TrainerJson.read(source);
      Map<String, Curve> curves = new HashMap<>();
      json.scalars().forEach((tag, s) -> curves.put(tag, Curve.of(s)));
      return new Recording(name, new RunCurves(curves, json.settings()), List.of());
    }
    RecordedRun run = new RecordedRun(source).readAll();
    return new Recording(name, RunCurves.of(run), run.damage());
  }

  /** The folder of the run that a folder of event files, or a checkpoint's state, belongs to. */
  private static Path run(Path source) {
    Path folder =
        TrainerJson.isOne(source) ? source.toAbsolutePath().getParent() : source.toAbsolutePath();
    String name = String.valueOf(folder.getFileName());
    Path parent = folder.getParent();
    if (name.startsWith("checkpoint-") || name.equals("logs")) {
      return parent;
    }
    return parent != null && String.valueOf(parent.getFileName()).equals("runs")
        ? parent.getParent()
        : folder;
  }

  private static String name(Path place, Path run) {
    Path from = place.toAbsolutePath();
    String name = from.relativize(run.toAbsolutePath()).toString();
    return name.isEmpty() ? String.valueOf(from.normalize().getFileName()) : name;
  }

  /**
   * Sessions that go on from one another as one; of several records of the same steps the fullest.
   */
  private static List<Recording> joined(String name, List<Recording> parts) {
    List<Recording> runs = new ArrayList<>();
    for (Recording part : parts) {
      Curve loss = part.curves.loss();
      if (loss.isEmpty()) {
        continue;
      }
      int last = runs.size() - 1;
      Curve before = last < 0 ? Curve.EMPTY : runs.get(last).curves.loss();
      if (before.isEmpty()) {
        runs.add(part);
      } else if (isSame(before, loss)) {
        runs.set(last, loss.size() > before.size() ? part : runs.get(last));
      } else if (loss.steps()[0] > before.steps()[0]
          && loss.steps()[0] <= before.lastStep() + 2 * Math.ceil(loss.stride())) {
        runs.set(
            last,
            new Recording(part.name, followed(runs.get(last).curves, part.curves), part.damage));
      } else {
        runs.add(part);
      }
    }
    return runs.size() == 1
        ? List.of(new Recording(name, runs.get(0).curves, runs.get(0).damage))
        : runs;
  }

  /** Whether two files tell of the same steps: they begin alike. */
  private static boolean isSame(Curve one, Curve other) {
    return one.steps()[0] == other.steps()[0]
        && Math.abs(one.first() - other.first()) <= 1e-3 * Math.abs(one.first());
  }

  private static RunCurves followed(RunCurves before, RunCurves after) {
    Map<String, Curve> curves = new HashMap<>(before.scalars());
    after.scalars().forEach((tag, c) -> curves.merge(tag, c, Curve::followedBy));
    Map<String, String> settings = new HashMap<>(before.settings());
    settings.putAll(after.settings());
    return new RunCurves(
        curves,
        settings,
        after.layers().isEmpty() ? before.layers() : after.layers(),
        after.records().isEmpty() ? before.records() : after.records());
  }
}

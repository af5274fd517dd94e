package org.loranative.train.runs;

import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeSet;
import org.loranative.UserException;
import org.loranative.config.Catalogue;
import org.loranative.config.ConfigReader;
import org.loranative.config.Mark;
import org.loranative.diagnose.Doctor;
import org.loranative.diagnose.Finding;
import org.loranative.diagnose.RunCurves;
import org.loranative.track.RecordedRun;
import org.loranative.track.RunPlaces;
import org.loranative.track.Scalars;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A run as its folder shows it.
 *
 * @param name its folder below the one that was named
 * @param settings all keys of its configuration
 * @param steps done
 * @param loss the lowest validation loss, or without one the mean of the last twentieth of the
 *     training loss
 * @param validated whether that is a validation loss
 */
public record RunInfo(
    String name,
    Path folder,
    Map<String, String> settings,
    long steps,
    OptionalDouble loss,
    boolean validated,
    Finding.Symptom verdict) {
  private static final Logger log = LoggerFactory.getLogger(RunInfo.class);

  /** The runs below a folder, by name; what is none of ours is named and left out. */
  public static List<RunInfo> below(Path root) {
    List<RunInfo> runs = new ArrayList<>();
    for (RunPlaces.Place place :
        RunPlaces.below(
            root,
            (at, e) -> log.warn("{} cannot be read and is left out: {}", at, e.getMessage()))) {
      if (place.isOurs()) {
        try {
          runs.add(of(root.toAbsolutePath(), place.folder().toAbsolutePath()));
        } catch (UserException | UncheckedIOException e) {
          log.warn("{} is left out: {}", place.folder(), e.getMessage());
        }
      }
    }
    return runs;
  }

  /** A run by its folder. */
  public static RunInfo of(Path root, Path folder) {
    RecordedRun run = new RecordedRun(folder.resolve("logs")).readAll();
    RunCurves curves = RunCurves.of(run);
    boolean validated = curves.validation().size() > 0;
    double[] values = (validated ? curves.validation() : curves.loss()).values();
    String name = root.relativize(folder).toString();
    return new RunInfo(
        name.isEmpty() ? String.valueOf(folder.toAbsolutePath().normalize().getFileName()) : name,
        folder,
        settings(folder.resolve("config.yaml")),
        curves.loss().size() == 0 ? 0 : curves.loss().steps()[curves.loss().size() - 1],
        validated ? lowest(values) : Scalars.lastMean(values),
        validated,
        Finding.verdict(curves.loss().size() == 0 ? List.of() : Doctor.examine(curves)));
  }

  private static Map<String, String> settings(Path config) {
    Map<String, String> settings = new LinkedHashMap<>();
    ConfigReader.toMap(ConfigReader.read(java.util.Optional.of(config), List.of()))
        .forEach((k, v) -> settings.put(k, String.valueOf(v)));
    return settings;
  }

  private static OptionalDouble lowest(double[] values) {
    return java.util.Arrays.stream(values).filter(Double::isFinite).min();
  }

  /** Keys whose values differ between runs. */
  public static List<String> differing(List<RunInfo> runs) {
    Map<String, TreeSet<String>> values = new LinkedHashMap<>();
    for (RunInfo run : runs) {
      run.settings().forEach((k, v) -> values.computeIfAbsent(k, x -> new TreeSet<>()).add(v));
    }
    List<String> keys = new ArrayList<>();
    values.forEach(
        (key, different) -> {
          if (different.size() > 1 && !Catalogue.isMarked(key, Mark.PLACE)) {
            keys.add(key);
          }
        });
    return keys;
  }
}

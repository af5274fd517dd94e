package org.loranative.diagnose;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.loranative.track.LayerLog;
import org.loranative.track.MeasuredRecords;

/**
 * A run of which is known what is wrong with it.
 *
 * @param label {@code healthy}, or what was done to it
 */
record Labelled(String name, String label, RunCurves curves) {
  static final Path FOLDER = Path.of("src/test/resources/doctor");

  /** The runs that src/test/python/record_doctor_runs.py recorded. */
  static List<Labelled> recorded() {
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files.filter(f -> f.toString().endsWith(".csv")).sorted().map(Labelled::read).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Labelled read(Path file) {
    try {
      List<String> lines = Files.readAllLines(file);
      JsonNode head = new ObjectMapper().readTree(lines.get(0));
      String[] tags = lines.get(1).split(",");
      Map<String, List<double[]>> points = new HashMap<>();
      for (String line : lines.subList(2, lines.size())) {
        String[] cells = line.split(",", -1);
        for (int i = 1; i < cells.length; i++) {
          if (!cells[i].isEmpty()) {
            double value = cells[i].equals("nan") ? Double.NaN : Double.parseDouble(cells[i]);
            points
                .computeIfAbsent(tags[i], t -> new ArrayList<>())
                .add(new double[] {Double.parseDouble(cells[0]), value});
          }
        }
      }
      Map<String, Curve> curves = new HashMap<>();
      points.forEach((tag, list) -> curves.put(tag, curve(list)));
      Map<String, String> settings = new HashMap<>();
      head.path("settings")
          .properties()
          .forEach(e -> settings.put(e.getKey(), e.getValue().asText()));
      String name = file.getFileName().toString().replace(".csv", "");
      Path looks = FOLDER.resolve("records").resolve(name);
      return new Labelled(
          name,
          head.path("label").asText(),
          new RunCurves(curves, settings, LayerLog.read(looks), MeasuredRecords.read(looks)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Curve curve(List<double[]> points) {
    long[] steps = points.stream().mapToLong(p -> (long) p[0]).toArray();
    double[] values = points.stream().mapToDouble(p -> p[1]).toArray();
    return new Curve(steps, values);
  }

  /** The run as it stood after a step. */
  Labelled until(long step) {
    return new Labelled(name, label, until(curves, step));
  }

  /** A run as it stood after a step. */
  static RunCurves until(RunCurves run, long step) {
    Map<String, Curve> curves = new HashMap<>();
    run.scalars()
        .forEach(
            (tag, c) -> {
              int n = 0;
              while (n < c.size() && c.steps()[n] <= step) {
                n++;
              }
              curves.put(tag, c.slice(0, n));
            });
    List<MeasuredRecords> records = run.records().stream().filter(m -> m.step() <= step).toList();
    List<LayerLog.At> layers = run.layers().stream().filter(l -> l.step() <= step).toList();
    return new RunCurves(curves, run.settings(), layers, records);
  }

  /**
   * Whether findings say what the label says; a healthy run must have none that warns. (A note of
   * slower steps is none: while some were recorded, other programs came to the machine.)
   */
  boolean isMetBy(List<Finding> findings) {
    if (label.equals("healthy")) {
      return findings.stream()
          .allMatch(f -> f.symptom().severity.compareTo(Finding.Severity.NOTE) <= 0);
    }
    return findings.stream().anyMatch(f -> names(f.symptom()).equalsIgnoreCase(label));
  }

  /** A climb that is not beyond doubt is unstable too; random numbers do not descend. */
  private String names(Finding.Symptom symptom) {
    return switch (symptom) {
      case CLIMB -> "unstable";
      case UNTRAINED_BASE -> label.equals("no_descent") ? label : symptom.name();
      default -> symptom.name();
    };
  }
}

package org.loranative.train;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.function.BiConsumer;
import org.loranative.diagnose.Finding;
import org.loranative.image.Picture;
import org.loranative.track.Console;
import org.loranative.track.LayerLog;
import org.loranative.track.MetricsLog;
import org.loranative.track.StepLine;
import org.loranative.track.TensorBoard;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Sends what happens in a run to TensorBoard, metrics.jsonl and the console. */
public final class Tracker implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Tracker.class);
  private static final Map<String, String> TITLES =
      Map.of(
          "val", "validation", "swapped", "exchanged probe", "val_swapped", "exchanged validation");
  private static final List<String> RESULTS = List.of("Loss/train", "Loss/val");

  private final TensorBoard board;
  private final MetricsLog metrics;
  private final RecordLosses records;
  private final LayerLog layers;
  private final Console console;
  private final String unit;
  private final Path samples;
  private final int total;
  private int first;
  private long startNanos = System.nanoTime();
  private String machine = "";

  /**
   * @param first the first step this process runs
   * @param settings the configuration, and what else is worth knowing of the run
   * @param unit what throughput counts
   */
  public Tracker(
      RunFolder folder,
      Map<String, Object> settings,
      int first,
      int total,
      String unit,
      Console console)
      throws IOException {
    this.console = console;
    this.unit = unit;
    this.samples = folder.samples();
    this.total = total;
    this.first = first;
    metrics = new MetricsLog(folder.logs().resolve("metrics.jsonl"), first - 1);
    records = new RecordLosses(folder.logs(), first - 1);
    layers = new LayerLog(folder.logs(), first - 1);
    board = new TensorBoard(folder.logs(), first);
    StringBuilder text = new StringBuilder("| key | value |\n|---|---|\n");
    settings.forEach((k, v) -> text.append("| ").append(k).append(" | ").append(v).append(" |\n"));
    board.text(first - 1, "config", text.toString());
    board.hyperparameters(settings, RESULTS);
    console.startProgress(first - 1, total);
  }

  /** What a step showed. */
  record Step(
      int step,
      float loss,
      Map<String, Double> metrics,
      List<RecordLoss> records,
      double rate,
      float gradNorm,
      long labelled,
      double unitsPerSecond,
      double millis,
      long memoryBytes) {}

  /** Losses that were measured, without their parts, for people. */
  static Optional<String> describe(Measurement measured) {
    return measured.losses().entrySet().stream()
        .filter(e -> !e.getKey().contains("/"))
        .map(
            e -> TITLES.getOrDefault(e.getKey(), e.getKey()) + " loss " + e.getValue().floatValue())
        .reduce((a, b) -> a + ", " + b);
  }

  /**
   * Records a step; returns its points by tag.
   *
   * @param measured after it
   * @param extra more points
   */
  Map<String, Double> step(Step s, Measurement measured, Map<String, Double> extra)
      throws IOException {
    Map<String, Double> scalars = new LinkedHashMap<>();
    scalars.put("Loss/train", (double) s.loss());
    s.metrics().forEach((name, x) -> scalars.put(name + "/train", x));
    addMeasured(scalars, measured);
    scalars.put("lr", s.rate());
    scalars.put("grad_norm", (double) s.gradNorm());
    scalars.put("perf/" + unit + "_per_s", s.unitsPerSecond());
    scalars.put("perf/step_ms", s.millis());
    scalars.put("memory/bytes", (double) s.memoryBytes());
    scalars.putAll(extra);
    board.scalars(s.step(), scalars);
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("step", s.step());
    line.put("loss", s.loss());
    line.putAll(s.metrics());
    line.put("lr", s.rate());
    line.put("grad_norm", s.gradNorm());
    line.put("labelled", s.labelled());
    line.put(unit + "_per_s", Math.round(s.unitsPerSecond() * 10) / 10.0);
    line.put("step_ms", Math.round(s.millis() * 1000) / 1000.0);
    writeMeasured(line, measured);
    extra.forEach((tag, v) -> line.put(tag.replaceFirst(".*/", ""), v));
    metrics.write(line);
    records.step(s.step(), s.records(), measured);
    long perStep = (System.nanoTime() - startNanos) / (s.step() - first + 1);
    console.progress(
        new StepLine(
            s.step(),
            total,
            s.loss(),
            s.rate(),
            s.unitsPerSecond(),
            unit,
            machine(extra),
            Duration.ofNanos(perStep * (total - s.step()))));
    return scalars;
  }

  /**
   * Records what was measured after a step that is recorded already, or before the first, which is
   * no line of metrics.jsonl.
   *
   * @return its points by tag
   */
  Map<String, Double> measured(int step, Measurement measured) throws IOException {
    Map<String, Double> scalars = new LinkedHashMap<>();
    addMeasured(scalars, measured);
    board.scalars(step, scalars);
    records.step(step, List.of(), measured);
    if (step > 0) {
      Map<String, Object> values = new LinkedHashMap<>();
      writeMeasured(values, measured);
      metrics.addTo(step, values);
    }
    return scalars;
  }

  private static void addMeasured(Map<String, Double> scalars, Measurement measured) {
    measured.losses().forEach((set, loss) -> scalars.put("Loss/" + set, loss));
    measured
        .metrics()
        .forEach((set, own) -> own.forEach((name, x) -> scalars.put(name + "/" + set, x)));
  }

  private static void writeMeasured(Map<String, Object> line, Measurement measured) {
    measured.losses().forEach((set, loss) -> line.put(set + "_loss", loss.floatValue()));
    measured
        .metrics()
        .forEach((set, own) -> own.forEach((name, x) -> line.put(set + "_" + name, x)));
  }

  /**
   * A card's newest readings, for people; they come every few steps, and not every card has all.
   */
  private String machine(Map<String, Double> points) {
    StringJoiner readings = new StringJoiner(" ");
    BiConsumer<String, String> add =
        (tag, format) ->
            Optional.ofNullable(points.get(tag))
                .ifPresent(v -> readings.add(String.format(format, v)));
    add.accept("gpu/temperature_c", "%.0f °C");
    add.accept("gpu/power_w", "%.0f W");
    if (points.getOrDefault("gpu/throttled_by_heat", 0.0) > 0) {
      readings.add("(slowed for heat)");
    }
    if (readings.length() > 0) {
      machine = readings.toString();
    }
    return machine;
  }

  /** Records what the adapted layers were like. */
  void layers(LayerLog.At at) {
    layers.write(at);
  }

  /** Records which parts of the hardest records are hard. */
  void hardest(HardestRecords.Text text) {
    records.writeHardest(text);
  }

  /** The records of a step that was not long ago, the hardest first. */
  List<RecordLoss> hardest(int step) {
    return records.hardest(step);
  }

  /** What the doctor found, shown among the texts. */
  void finding(int step, Finding finding) {
    board.text(
        step, "doctor/" + finding.symptom().name().toLowerCase(Locale.ROOT), finding.toString());
  }

  /** What the doctor said and takes back. */
  void withdrawn(int step, Finding finding) {
    board.text(
        step,
        "doctor/" + finding.symptom().name().toLowerCase(Locale.ROOT),
        "No longer " + finding.symptom().title + ": " + finding.evidence() + " did not stay so.");
  }

  /** The point at which a run was given up or goes back, so that the curve shows why. */
  public void diverged(TrainingDivergedException trouble) {
    if (trouble.since() == trouble.at()) {
      board.scalars(trouble.at(), Map.of("Loss/train", Double.NaN));
    }
    board.text(trouble.at(), "doctor/diverged", trouble.getMessage());
  }

  /** Goes back: what lies behind {@code step} is written again. */
  void rewind(int step, int from) throws IOException {
    metrics.cutAfter(step);
    records.cutAfter(step);
    layers.cutAfter(step);
    board.restart(step + 1L);
    first = step + 1;
    startNanos = System.nanoTime();
    board.text(step, "doctor/rollback", "Back from step " + from + " to step " + step + ".");
  }

  /** A preview of text: into TensorBoard's text tab. */
  public void preview(int step, int index, String prompt, String answer) {
    board.text(step, "samples/" + index, "**" + prompt + "**\n\n" + answer);
  }

  /** A preview of an image: into {@code samples/} and TensorBoard's image tab. */
  public void preview(int step, int index, String prompt, Picture picture) throws IOException {
    Path file = samples.resolve(String.format("%06d-%d.png", step, index));
    try {
      picture.writePng(file);
    } catch (IOException e) {
      log.warn("{} cannot be written ({}); training goes on.", file, e.getMessage());
    }
    board.image(
        step, "samples/" + index + ": " + prompt, picture.png(), picture.width(), picture.height());
  }

  /** All previews so far on one sheet: a row for each prompt, early ones left. */
  public void contactSheet() {
    try {
      ContactSheet.write(samples);
    } catch (IOException e) {
      log.warn("The contact sheet cannot be written ({}); training goes on.", e.getMessage());
    }
  }

  public void end(boolean success) {
    board.end(success);
  }

  @Override
  public void close() throws IOException {
    console.endProgress();
    board.close();
    metrics.close();
    records.close();
    layers.close();
  }
}

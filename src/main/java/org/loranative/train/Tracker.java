package org.loranative.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.config.ConfigReader;
import org.loranative.config.TrainConfig;
import org.loranative.image.Picture;
import org.loranative.track.Console;
import org.loranative.track.MetricsLog;
import org.loranative.track.TensorBoard;

/** Sends what happens in a run to TensorBoard, metrics.jsonl and the console. */
final class Tracker implements AutoCloseable {
  private static final List<String> RESULTS = List.of("Loss/train", "Loss/val");

  private final TensorBoard board;
  private final MetricsLog metrics;
  private final Console console;
  private final String unit;
  private final Path samples;
  private final int total;
  private final int first;
  private final long startNanos = System.nanoTime();

  /**
   * @param first the first step this process runs
   * @param notes more lines for the configuration text
   * @param unit what throughput counts
   */
  Tracker(
      RunFolder folder,
      TrainConfig config,
      Map<String, Object> notes,
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
    board = new TensorBoard(folder.logs(), first);
    Map<String, Object> settings = new LinkedHashMap<>(ConfigReader.toMap(config));
    settings.putAll(notes);
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
      double rate,
      float gradNorm,
      long labelled,
      double unitsPerSecond,
      double millis,
      long memoryBytes,
      Map<String, Double> measured) {}

  /** Losses that were measured, without their parts, for people. */
  static Optional<String> describe(Map<String, Double> measured) {
    return measured.entrySet().stream()
        .filter(e -> !e.getKey().contains("/"))
        .map(
            e ->
                (e.getKey().equals("val") ? "validation" : e.getKey())
                    + " loss "
                    + e.getValue().floatValue())
        .reduce((a, b) -> a + ", " + b);
  }

  void step(Step s) throws IOException {
    Map<String, Double> scalars = new LinkedHashMap<>();
    scalars.put("Loss/train", (double) s.loss());
    s.measured().forEach((name, loss) -> scalars.put("Loss/" + name, loss));
    scalars.put("lr", s.rate());
    scalars.put("grad_norm", (double) s.gradNorm());
    scalars.put("perf/" + unit + "_per_s", s.unitsPerSecond());
    scalars.put("perf/step_ms", s.millis());
    scalars.put("memory/bytes", (double) s.memoryBytes());
    board.scalars(s.step(), scalars);
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("step", s.step());
    line.put("loss", s.loss());
    line.put("lr", s.rate());
    line.put("grad_norm", s.gradNorm());
    line.put("labelled", s.labelled());
    line.put(unit + "_per_s", Math.round(s.unitsPerSecond() * 10) / 10.0);
    line.put("step_ms", Math.round(s.millis() * 1000) / 1000.0);
    s.measured().forEach((name, loss) -> line.put(name + "_loss", loss.floatValue()));
    metrics.write(line);
    long perStep = (System.nanoTime() - startNanos) / (s.step() - first + 1);
    console.progress(
        s.step(),
        total,
        s.loss(),
        s.rate(),
        s.unitsPerSecond(),
        unit,
        Duration.ofNanos(perStep * (total - s.step())));
  }

  void sample(int step, int index, String prompt, String answer) {
    board.text(step, "samples/" + index, "**" + prompt + "**\n\n" + answer);
  }

  /** A preview: into {@code samples/} and TensorBoard's image tab. */
  void image(int step, int index, String prompt, Picture picture) throws IOException {
    Files.createDirectories(samples);
    picture.writePng(samples.resolve(String.format("%06d-%d.png", step, index)));
    board.image(
        step, "samples/" + index + ": " + prompt, picture.png(), picture.width(), picture.height());
  }

  /** All previews so far on one sheet: a row for each prompt, early ones left. */
  void contactSheet() throws IOException {
    ContactSheet.write(samples);
  }

  void end(boolean success) {
    board.end(success);
  }

  @Override
  public void close() throws IOException {
    console.endProgress();
    board.close();
    metrics.close();
  }
}
